"""Clients that send hashes and ids, from npm, to a server of their own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.integration.edges.served import ROOT, Served, serve

pytestmark = pytest.mark.slow

Node = Callable[..., Any]
QUERY = "query Makers($limit: Int) { makers(limit: $limit) { id name __typename } }"
NAMES = ["Anvil & Sons", "Birch Bücher"]


@pytest.fixture(params=["daphne", "uvicorn"])
def server(request: pytest.FixtureRequest, site_database: str, tmp_path: Path) -> Iterator[Served]:
    """A server that knows nothing of what others stored."""
    with psycopg.connect(site_database, autocommit=True) as client:
        client.execute("TRUNCATE tb_persisted_operation CASCADE")
    with serve(request.param, site_database, tmp_path / "log", PERSISTED_REFRESH_S=0) as served:
        yield served


def turbo(database: str, *arguments: Any) -> None:
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DJANGO_SETTINGS_MODULE": "tests.integration.edges.site.settings",
        "SITE_DATABASE": database,
    }
    command = [sys.executable, "-m", "django", "fraiseql_turbo", *map(str, arguments)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdin=subprocess.DEVNULL)


def rows(database: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database, autocommit=True) as client:
        return client.execute(query.encode()).fetchall()


WATCHED = """
import { createHash } from 'node:crypto';
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const seen = [];
const watched = (url, options = {}) => {
  const body = options.body ? JSON.parse(options.body) : Object.fromEntries(new URL(url).searchParams);
  seen.push([options.method ?? 'GET', Boolean(body.query)]);
  return fetch(url, options);
};
"""
APOLLO = (
    WATCHED
    + """
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries';

const [, , uri, query] = process.argv;
const ask = async (useGETForHashedQueries) => {
  const link = createPersistedQueryLink({ sha256, useGETForHashedQueries });
  const http = new HttpLink({ uri, fetch: watched, headers: { 'apollographql-client-name': 'web' } });
  const client = new ApolloClient({ link: ApolloLink.from([link, http]), cache: new InMemoryCache() });
  const { data } = await client.query({ query: gql(query), variables: { limit: 2 } });
  return data.makers.map(({ name }) => name);
};
console.log(JSON.stringify({ names: [await ask(false), await ask(false), await ask(true)], seen }));
"""
)


def test_apollo_sends_the_text_once_and_then_its_hash_and_all_is_counted(
    server: Served, node: Node, site_database: str
) -> None:
    found = node(APOLLO, server.url, QUERY)

    assert found["names"] == [NAMES] * 3
    assert found["seen"] == [["POST", False], ["POST", True], ["POST", False], ["GET", False]]
    # What was counted is written when the server ends.
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(20)
    columns = "kind, name, client, uses, errors, total_ms > 0"
    assert rows(site_database, f"SELECT {columns} FROM tb_persisted_operation") == [
        ("apq", "Makers", "web", 3, 0, True)
    ]


URQL = (
    WATCHED
    + """
import { Client, fetchExchange } from '@urql/core';
import { persistedExchange } from '@urql/exchange-persisted';

const [, , url, query] = process.argv;
const ask = async (preferGetForPersistedQueries) => {
  const exchanges = [persistedExchange({
    preferGetForPersistedQueries, generateHash: async (text) => sha256(text),
  }), fetchExchange];
  const client = new Client({ url, exchanges, fetch: watched, preferGetMethod: false });
  const { data, error } = await client.query(query, { limit: 2 }).toPromise();
  if (error) throw error;
  return data.makers.map(({ name }) => name);
};
console.log(JSON.stringify({ names: [await ask(false), await ask(false), await ask('force')], seen }));
"""
)


def test_urql_sends_the_text_once_and_then_its_hash(server: Served, node: Node) -> None:
    found = node(URQL, server.url, QUERY)

    assert found["names"] == [NAMES] * 3
    assert found["seen"] == [["POST", False], ["POST", True], ["POST", False], ["GET", False]]


RELAY = """
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

mkdirSync('stored/made', { recursive: true });
writeFileSync('stored/schema.graphql', process.argv[2]);
writeFileSync('stored/App.js', 'graphql`query AppQuery($limit: Int) { makers(limit: $limit) { id name } }`');
writeFileSync('stored/relay.config.json', JSON.stringify({
  src: '.', schema: 'schema.graphql', language: 'javascript', eagerEsModules: false,
  artifactDirectory: 'made', persistConfig: { file: './persisted_queries.json' },
}));
writeFileSync('stored/persisted_queries.json', '{}');
execFileSync('node', ['../node_modules/relay-compiler/cli.js', 'relay.config.json'], {
  cwd: 'stored', stdio: ['ignore', 'ignore', 'inherit'],
});
const { params } = createRequire(import.meta.url)('./stored/made/AppQuery.graphql');
const manifest = readFileSync('stored/persisted_queries.json', 'utf8');
console.log(JSON.stringify({ manifest, id: params.id, text: params.text }));
"""
RELAY_RUNTIME = """
import runtime from 'relay-runtime';
import { createRequire } from 'node:module';

const [, , url] = process.argv;
const { createOperationDescriptor, Environment, Network, RecordSource, Store } = runtime;
const request = createRequire(import.meta.url)('./stored/made/AppQuery.graphql');
const network = Network.create(async ({ id }, variables) => {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ doc_id: id, variables });
  return (await fetch(url, { method: 'POST', headers, body })).json();
});
const environment = new Environment({ network, store: new Store(new RecordSource()) });
const { makers } = await runtime.fetchQuery(environment, request, { limit: 2 }).toPromise();
console.log(JSON.stringify(makers.map(({ name }) => name)));
"""


def test_relay_calls_what_its_compiler_wrote_into_a_manifest(
    site_database: str, tmp_path: Path, node: Node
) -> None:
    schema = "type Query { makers(limit: Int): [Maker!]! } type Maker { id: ID! name: String! }"
    made = node(RELAY, schema)
    manifest = tmp_path / "persisted_queries.json"
    manifest.write_text(made["manifest"])
    assert made["text"] is None
    assert made["id"] in json.loads(made["manifest"])
    turbo(site_database, "register", manifest, "--client", "relay")

    settings = {"PERSISTED_OPERATIONS": "enforce"}
    with serve("uvicorn", site_database, tmp_path / "log", **settings) as served:
        assert node(RELAY_RUNTIME, served.url) == NAMES
        assert served.codes("{ makers { name } }") == ["FORBIDDEN"]


MANIFEST = (
    WATCHED
    + """
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { createPersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { generatePersistedQueryIdsFromManifest } from '@apollo/persisted-query-lists';

const [, , uri, query, manifest] = process.argv;
const ids = generatePersistedQueryIdsFromManifest({ loadManifest: async () => JSON.parse(manifest) });
const link = ApolloLink.from([createPersistedQueryLink(ids), new HttpLink({ uri, fetch: watched })]);
const client = new ApolloClient({ link, cache: new InMemoryCache() });
const { data } = await client.query({ query: gql(query), variables: { limit: 2 } });
console.log(JSON.stringify({ names: data.makers.map(({ name }) => name), seen }));
"""
)


def test_apollo_calls_what_stands_in_its_manifest(
    site_database: str, tmp_path: Path, node: Node
) -> None:
    operation = {"id": "my-makers", "name": "Makers", "type": "query", "body": QUERY}
    manifest = {
        "format": "apollo-persisted-query-manifest",
        "version": 1,
        "operations": [operation],
    }
    file = tmp_path / "manifest.json"
    file.write_text(json.dumps(manifest))
    turbo(site_database, "register", file)

    settings = {"PERSISTED_OPERATIONS": "enforce"}
    with serve("uvicorn", site_database, tmp_path / "log", **settings) as served:
        found = node(MANIFEST, served.url, QUERY, json.dumps(manifest))

    assert found["names"] == NAMES
    assert found["seen"] == [["POST", False]]
