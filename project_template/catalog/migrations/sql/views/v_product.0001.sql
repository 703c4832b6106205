-- One document per product; tv_product stores it.
CREATE OR REPLACE VIEW v_product AS
SELECT p.id, p.identifier, p.created_at,
       jsonb_build_object(
           'id', p.id,
           'identifier', p.identifier,
           'name', p.name,
           'price', p.price,
           'tags', p.tags,
           'created_at', p.created_at
       ) AS data
  FROM tb_product p
