SELECT t."data" FROM "public"."tv_ware" AS t WHERE (((t."data"->>'stock'))::int4 > %s::int4 AND ((t."data"->>'price'))::numeric <= %s::numeric AND (t."data"->>'status') = ANY (%s::text[]) AND CASE WHEN jsonb_typeof((t."data"->'tags')) = 'array' THEN ARRAY(SELECT (item)::text FROM jsonb_array_elements_text((t."data"->'tags')) AS item) END && %s::text[] AND (t."data"->>'released_at') IS NULL AND (t."data"->'attributes') @> %s::jsonb) ORDER BY t."id" LIMIT 5
-- "9"
-- "19.99"
-- "{\"on_sale\"}"
-- "{\"steel\",\"words\"}"
-- "[1]"
