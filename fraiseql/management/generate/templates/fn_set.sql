-- Have {{ names.one }} hold these rows of {{ pair.item.table }}, in this order.
CREATE OR REPLACE FUNCTION {{ pair.setter }}(p_{{ names.stem }} int, p_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $function$
BEGIN
    IF EXISTS (SELECT FROM unnest(p_ids) AS g (id)
                WHERE NOT EXISTS (SELECT FROM {{ pair.item.table }} i WHERE i.id = g.id)) THEN
        RAISE EXCEPTION 'There is no such {{ pair.item.label }}.' USING ERRCODE = 'PT404';
    END IF;
    DELETE FROM {{ pair.pairs }} x WHERE x.{{ pair.owner_fk }} = p_{{ names.stem }};
    INSERT INTO {{ pair.pairs }} ({{ pair.owner_fk }}, {{ pair.item_fk }}, place)
    SELECT p_{{ names.stem }}, i.{{ pair.item.pk }}, min(g.place)
      FROM unnest(p_ids) WITH ORDINALITY AS g (id, place)
           JOIN {{ pair.item.table }} i ON i.id = g.id
     GROUP BY i.{{ pair.item.pk }};
END $function$
