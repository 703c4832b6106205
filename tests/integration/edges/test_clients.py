"""Programs that people use: their requests are understood, and they understand the answers."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from graphql import build_client_schema, get_introspection_query, print_schema
from pytest_django import Settings

from tests.integration.edges.conftest import Edges
from tests.integration.edges.served import Served

pytestmark = pytest.mark.slow

QUERY = "query Makers($limit: Int) { makers(limit: $limit) { id name wares { id name } } }"
NAMES = ["Anvil & Sons", "Birch Bücher"]
WRITE = "mutation Write($text: String!) { writeNote(text: $text) { note { text } } }"


def test_gql_reads_the_schema_and_asks(introspected: Served) -> None:
    gql = pytest.importorskip("gql")
    transport = pytest.importorskip("gql.transport.httpx").HTTPXTransport(url=introspected.url)
    refused = pytest.importorskip("gql.transport.exceptions").TransportQueryError
    with gql.Client(transport=transport, fetch_schema_from_transport=True) as session:
        request = gql.gql(QUERY)
        request.variable_values = {"limit": 2}
        answer = session.execute(request)
        viewer = session.execute(gql.gql("{ viewer }"))
        with pytest.raises(refused, match="Internal error") as caught:
            session.execute(gql.gql("{ failingNow }"))

    assert [maker["name"] for maker in answer["makers"]] == NAMES
    assert viewer == {"viewer": "AnonymousUser"}
    assert caught.value.errors[0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"


async def test_gql_asks_many_times_at_once(introspected: Served) -> None:
    gql = pytest.importorskip("gql")
    transport = pytest.importorskip("gql.transport.httpx").HTTPXAsyncTransport(url=introspected.url)
    async with gql.Client(transport=transport) as session:
        requests = [gql.gql(QUERY) for _ in range(20)]
        answers = await asyncio.gather(*(session.execute(request) for request in requests))

    assert [len(answer["makers"]) for answer in answers] == [3] * 20


GRAPHQL_JS = """
import { buildClientSchema, getIntrospectionQuery, printSchema, validateSchema } from 'graphql';

const ask = async (options) => {
  const query = getIntrospectionQuery(options);
  const body = JSON.stringify({ query, operationName: 'IntrospectionQuery' });
  const headers = { 'content-type': 'application/json', accept: 'application/json, multipart/mixed' };
  return (await fetch(process.argv[2], { method: 'POST', headers, body })).json();
};
// With everything GraphiQL asks for, too.
const full = { specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true,
               inputValueDeprecation: true, oneOf: true };
const answers = [await ask({}), await ask(full)];
const schemas = answers.map(({ data, errors }) => buildClientSchema(data));
console.log(JSON.stringify({
  faults: schemas.flatMap(validateSchema).map(String),
  types: Object.keys(schemas[1].getTypeMap()),
  oneOf: schemas[1].getType('MakerOrderByInput').isOneOf,
  printed: printSchema(schemas[0]),
}));
"""


def test_graphql_js_builds_the_schema(introspected: Served, node: Callable[..., Any]) -> None:
    found = node(GRAPHQL_JS, introspected.url)

    assert found["faults"] == []
    assert {"Maker", "Ware", "WareConnection", "MakerWhereInput", "Note"} <= set(found["types"])
    assert found["oneOf"] is True
    assert "type Maker" in found["printed"]


def test_introspection_as_deep_as_tools_ask_is_within_the_limit(
    edges: Edges, settings: Settings
) -> None:
    settings.FRAISEQL = {"INTROSPECTION": "public"}
    for depth in (False, True):
        query = get_introspection_query(
            specified_by_url=True, directive_is_repeatable=True, schema_description=True,
            input_value_deprecation=depth, input_object_one_of=depth,
        )  # fmt: skip
        answer = edges.post(query, operationName="IntrospectionQuery")

        assert "type Maker" in print_schema(build_client_schema(answer.json["data"]))


GRAPHQL_REQUEST = """
import { GraphQLClient, ClientError, gql } from 'graphql-request';

const client = new GraphQLClient(process.argv[2]);
const [, , , query, write] = process.argv;
const failed = async (document, variables) => {
  try { await client.request(document, variables); } catch (error) {
    return [error instanceof ClientError, error.response.status,
            error.response.errors?.map((each) => each.extensions.code)];
  }
};
const byGet = new GraphQLClient(process.argv[2], { method: 'GET' });
console.log(JSON.stringify({
  asked: await client.request(query, { limit: 2 }),
  byGet: await byGet.request(query, { limit: 2 }),
  written: await client.request(write, { text: 'from node' }),
  failed: [await failed('{ nothing }'), await failed('{ failingNow }'), await failed(query, { limit: 'x' })],
}));
"""


def test_graphql_request_asks_writes_and_tells_errors(
    introspected: Served, node: Callable[..., Any]
) -> None:
    found = node(GRAPHQL_REQUEST, introspected.url, QUERY, WRITE)

    assert [maker["name"] for maker in found["asked"]["makers"]] == NAMES
    assert found["byGet"] == found["asked"]
    assert found["written"] == {"writeNote": {"note": {"text": "from node"}}}
    assert [(known, codes) for known, _, codes in found["failed"]] == [
        (True, ["GRAPHQL_VALIDATION_FAILED"]),
        (True, ["INTERNAL_SERVER_ERROR"]),
        (True, ["BAD_USER_INPUT"]),
    ]


URQL = """
import { Client, cacheExchange, fetchExchange } from '@urql/core';

const [, , url, query] = process.argv;
const ask = async (preferGetMethod) => {
  const client = new Client({ url, preferGetMethod, exchanges: [cacheExchange, fetchExchange] });
  const first = await client.query(query, { limit: 2 }).toPromise();
  const again = await client.query(query, { limit: 2 }, { requestPolicy: 'cache-only' }).toPromise();
  const wrong = await client.query('{ nothing }', {}).toPromise();
  return { first: first.data, again: again.data, error: wrong.error.graphQLErrors[0].extensions.code };
};
console.log(JSON.stringify([await ask(false), await ask('force')]));
"""


def test_urql_asks_by_post_and_get_and_keeps_the_answer(
    introspected: Served, node: Callable[..., Any]
) -> None:
    for found in node(URQL, introspected.url, QUERY):
        assert [maker["name"] for maker in found["first"]["makers"]] == NAMES
        assert found["again"] == found["first"]
        assert found["error"] == "GRAPHQL_VALIDATION_FAILED"


APOLLO = """
import { ApolloClient, HttpLink, InMemoryCache, gql } from '@apollo/client/core';

const [, , uri, query] = process.argv;
const client = new ApolloClient({ link: new HttpLink({ uri }), cache: new InMemoryCache() });
const first = await client.query({ query: gql(query), variables: { limit: 2 } });
const maker = first.data.makers[0];
const cached = client.cache.readFragment({
  id: client.cache.identify(maker), fragment: gql`fragment M on Maker { id name }`,
});
const kept = await client.query({ query: gql(query), variables: { limit: 2 }, fetchPolicy: 'cache-only' });
const wrong = await client.query({ query: gql`{ failingNow }`, errorPolicy: 'all' });
console.log(JSON.stringify({
  first: first.data, kept: kept.data, cached, code: wrong.error.errors[0].extensions.code,
  ids: Object.keys(client.cache.extract()).length,
}));
"""


def test_apollo_normalises_and_keeps_the_answer(
    introspected: Served, node: Callable[..., Any]
) -> None:
    found = node(APOLLO, introspected.url, QUERY)
    makers = found["first"]["makers"]

    assert [maker["name"] for maker in makers] == NAMES
    assert found["kept"] == found["first"]
    assert (found["cached"]["id"], found["cached"]["name"]) == (makers[0]["id"], makers[0]["name"])
    assert found["code"] == "INTERNAL_SERVER_ERROR"
    assert found["ids"] > len(makers)


RELAY_APP = """
graphql`query FeedQuery { ...Feed }`;
graphql`
  fragment Feed on Query @refetchable(queryName: "FeedNextQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
    wareFeed(first: $count, after: $cursor, orderBy: [{ price: DESC }]) @connection(key: "Feed_wareFeed") {
      totalCount
      edges { node { id name ... on Book { pages } ...Feed_maker } }
    }
  }`;
graphql`fragment Feed_maker on Ware { maker { id name } }`;
"""
RELAY = """
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { buildClientSchema, getIntrospectionQuery, printSchema } from 'graphql';
import React from 'react';
import renderer from 'react-test-renderer';
import relay from 'react-relay';
import runtime from 'relay-runtime';

const ask = async (query, variables) => {
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ query, variables });
  return (await fetch(process.argv[2], { method: 'POST', headers, body })).json();
};
const { data } = await ask(getIntrospectionQuery({ inputValueDeprecation: true }));
mkdirSync('app/made', { recursive: true });
writeFileSync('app/schema.graphql', printSchema(buildClientSchema(data)));
writeFileSync('app/Feed.js', process.argv[3]);
writeFileSync('app/relay.config.json', JSON.stringify({
  src: '.', schema: 'schema.graphql', language: 'javascript', eagerEsModules: false,
  artifactDirectory: 'made',
}));
execFileSync('node', ['../node_modules/relay-compiler/cli.js', 'relay.config.json'], {
  cwd: 'app', stdio: ['ignore', 'ignore', 'inherit'],
});

const require = createRequire(import.meta.url);
const query = require('./app/made/FeedQuery.graphql');
const fragment = require('./app/made/Feed.graphql');
const { Environment, Network, RecordSource, Store } = runtime;
const sent = [];
const environment = new Environment({
  store: new Store(new RecordSource()),
  network: Network.create((request, variables) => {
    sent.push(variables);
    return ask(request.text, variables);
  }),
});
globalThis.IS_REACT_ACT_ENVIRONMENT = true;
const pages = [];
let feed;
const List = ({ root }) => {
  feed = relay.usePaginationFragment(fragment, root);
  return null;
};
const App = () => React.createElement(List, { root: relay.useLazyLoadQuery(query, {}) });
const wrapped = React.createElement(relay.RelayEnvironmentProvider, { environment },
  React.createElement(React.Suspense, { fallback: null }, React.createElement(App)));
await React.act(async () => { renderer.create(wrapped); });
while (!feed) await React.act(() => new Promise((resolve) => setTimeout(resolve, 5)));
pages.push(feed);
while (feed.hasNext) {
  const more = new Promise((resolve) => React.act(() => { feed.loadNext(2, { onComplete: resolve }); }));
  const error = await React.act(() => more);
  if (error) throw error;
  pages.push(feed);
}
console.log(JSON.stringify({
  pages: pages.map(({ data }) => data.wareFeed.edges.map(({ node }) => node.name)),
  total: feed.data.wareFeed.totalCount, sent,
}));
"""


def test_relay_compiles_the_schema_and_pages_through_a_connection(
    introspected: Served, node: Callable[..., Any]
) -> None:
    found = node(RELAY, introspected.url, RELAY_APP)
    names = ["Drill", "Atlas", "Crowbar", "Fables", 'Essays "50%"', "Bradawl"]

    assert [sorted(page) for page in found["pages"]] == [
        sorted(names[:2]), sorted(names[:4]), sorted(names)
    ]  # fmt: skip
    assert found["total"] == 6
    assert [variables["count"] for variables in found["sent"][1:]] == [2, 2]
    assert len({variables["cursor"] for variables in found["sent"][1:]}) == 2
