-- Forget registered operations, with their ids.
-- in   hashes jsonb
-- out  nothing
DELETE FROM tb_persisted_operation
 WHERE tenant = '' AND kind = 'registered'
   AND hash IN (SELECT jsonb_array_elements_text(%s::jsonb))
