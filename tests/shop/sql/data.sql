INSERT INTO tb_maker (id, identifier, name, country, founded, office)
VALUES ('00000000-0000-4000-8000-0000000000a1', 'anvil', 'Anvil & Sons', 'NO', 1899,
        '{"address_line_1": "1 Quay \"North\"", "address_line_2": null, "ipv4_address": "10.0.0.5",
          "dns_1_id": 53, "opened_on": "1899-05-01"}'),
       ('00000000-0000-4000-8000-0000000000a2', 'birch', 'Birch Bücher', 'DE', 1950, NULL),
       ('00000000-0000-4000-8000-0000000000a3', 'cobalt', 'Cobalt', NULL, NULL,
        '{"address_line_1": "3 Mill Lane", "address_line_2": "Yard 50%", "ipv4_address": null,
          "dns_1_id": null, "opened_on": null}');

INSERT INTO tb_ware (id, identifier, fk_maker, kind, name, status, grade, price, weight, barcode, stock,
                     tags, attributes, released_at, pages, watts)
VALUES ('00000000-0000-4000-8000-000000000001', 'atlas', 2, 'book', 'Atlas', 'on_sale', 2, 40.5, 1.25,
        9007199254740993, 9, '{maps,"large print"}', '{"cover": "linen", "sizes": [1, 2]}',
        '2024-01-31 12:00:00+00', 320, NULL),
       ('00000000-0000-4000-8000-000000000002', 'bradawl', 1, 'tool', 'Bradawl', 'sold_out', 1, 7, 0.1,
        NULL, 0, '{}', NULL, NULL, NULL, NULL),
       ('00000000-0000-4000-8000-000000000003', 'crowbar', 1, 'tool', 'Crowbar', 'on_sale', NULL, 19.99,
        4, 4006381333931, 10, '{steel}', '{"length": 10}', '2023-06-01 08:30:00.25+00', NULL, NULL),
       ('00000000-0000-4000-8000-000000000004', 'drill', 1, 'tool', 'Drill', 'withdrawn', 2,
        129.0001, 2.75, 4006381333948, 3, '{steel,power}', '{"length": 9}', '2024-03-10 00:00:00+00',
        NULL, 850),
       ('00000000-0000-4000-8000-000000000005', 'essays', 2, 'book', 'Essays "50%"', 'on_sale', NULL, 12,
        NULL, NULL, 100, '{words}', '[1, {"a": null}]', NULL, 95, NULL),
       ('00000000-0000-4000-8000-000000000006', 'fables', NULL, 'book', 'Fables', 'sold_out', 1, 12,
        0.5, NULL, 0, '{words,maps}', '"text"', '2024-01-31 12:00:00+00', NULL, NULL);

INSERT INTO tb_category
VALUES (1, 'Everything', NULL), (2, 'Books', 1), (3, 'Tools', 1), (10, 'Maps', 2);

INSERT INTO tb_courier
VALUES (1, 'Ada', true, 1, '{1,2}', '2020-02-29'), (2, 'Bo', false, NULL, '{}', NULL),
       (9007199254740993, 'Cy', true, 2, '{2}', '2021-01-01');
