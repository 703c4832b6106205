-- Which of a tenant's stored operations go first when there are too many.
CREATE INDEX tb_persisted_operation_last_used_at_idx
    ON tb_persisted_operation (tenant, last_used_at DESC) WHERE kind = 'apq'
