-- Have a {{ names.label }} hold these rows of {{ listing.item.table }}, in this order.
CREATE OR REPLACE FUNCTION {{ setter }}(p_{{ names.stem }} int, p_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $function$
BEGIN
    IF EXISTS (SELECT FROM unnest(p_ids) AS g (id)
                WHERE NOT EXISTS (SELECT FROM {{ listing.item.table }} i WHERE i.id = g.id)) THEN
        RAISE EXCEPTION 'There is no such {{ listing.item.label }}.' USING ERRCODE = 'PT404';
    END IF;
    DELETE FROM {{ listing.pairs }} x WHERE x.{{ fk }} = p_{{ names.stem }};
    INSERT INTO {{ listing.pairs }} ({{ fk }}, {{ item_fk }}, place)
    SELECT p_{{ names.stem }}, i.{{ listing.item.pk }}, min(g.place)
      FROM unnest(p_ids) WITH ORDINALITY AS g (id, place)
           JOIN {{ listing.item.table }} i ON i.id = g.id
     GROUP BY i.{{ listing.item.pk }};
END $function$
