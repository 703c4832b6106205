-- A few products to look at; those already there stay as they are.
INSERT INTO tb_product (identifier, name, price, tags)
VALUES ('oak-table', 'Oak table', 480.00, '{furniture,oak}'),
       ('reading-lamp', 'Reading lamp', 64.50, '{lighting}'),
       ('wool-blanket', 'Wool blanket', 89.90, '{textiles,wool}')
    ON CONFLICT DO NOTHING
