CREATE TABLE tb_maker (
    pk_maker   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id         uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    identifier text NOT NULL UNIQUE,
    name       text NOT NULL,
    country    text,
    founded    integer,
    office     jsonb
);

CREATE TABLE tb_ware (
    pk_ware     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id          uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    identifier  text NOT NULL UNIQUE,
    fk_maker    integer REFERENCES tb_maker,
    kind        text NOT NULL,
    name        text NOT NULL,
    status      text NOT NULL DEFAULT 'on_sale',
    grade       integer,
    price       numeric(20,4) NOT NULL,
    weight      double precision,
    barcode     bigint,
    stock       integer NOT NULL DEFAULT 0,
    tags        text[] NOT NULL DEFAULT '{}',
    attributes  jsonb,
    released_at timestamptz,
    pages       integer,
    watts       integer
);

CREATE TABLE tb_category (
    id        integer PRIMARY KEY,
    name      text NOT NULL,
    fk_parent integer REFERENCES tb_category
);

CREATE TABLE tb_courier (
    id     bigint PRIMARY KEY,
    name   text NOT NULL,
    active boolean NOT NULL,
    grade  smallint,
    zones  integer[] NOT NULL,
    since  date
);
