-- Which rows of {{ listing.item.table }} a row of {{ names.table }} has, in their order.
CREATE TABLE {{ listing.pairs }} (
    {{ fk|ljust:width }} int NOT NULL REFERENCES {{ names.table }} ON DELETE CASCADE,
    {{ item_fk|ljust:width }} int NOT NULL REFERENCES {{ listing.item.table }} ON DELETE CASCADE,
    {{ "place"|ljust:width }} int NOT NULL,
    PRIMARY KEY ({{ fk }}, {{ item_fk }})
)
