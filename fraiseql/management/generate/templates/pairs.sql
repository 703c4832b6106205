-- Which rows of {{ pair.item.table }} a row of {{ names.table }} has, in their order.
CREATE TABLE {{ pair.pairs }} (
    {{ pair.owner_fk }} int NOT NULL REFERENCES {{ names.table }} ON DELETE CASCADE,
    {{ pair.item_fk }} int NOT NULL REFERENCES {{ pair.item.table }} ON DELETE CASCADE,
    place int NOT NULL,
    PRIMARY KEY ({{ pair.owner_fk }}, {{ pair.item_fk }})
)
