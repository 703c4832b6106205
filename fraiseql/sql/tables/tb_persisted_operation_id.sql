-- What else a registered operation is called: the ids of Relay's and Apollo's manifests.
CREATE TABLE tb_persisted_operation_id (
    tenant text NOT NULL DEFAULT '',
    id     text NOT NULL,
    hash   text NOT NULL,
    PRIMARY KEY (tenant, id),
    FOREIGN KEY (tenant, hash) REFERENCES tb_persisted_operation ON DELETE CASCADE
)
