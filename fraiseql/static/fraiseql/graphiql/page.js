// Starts GraphiQL on the endpoint this page was served from. Settings come as data- attributes, because
// the page's Content-Security-Policy forbids inline scripts.
"use strict";

(() => {
  const root = document.getElementById("graphiql");
  const { endpoint, csrfCookie, csrfHeader } = root.dataset;

  // The name under which react-remove-scroll looks for the nonce of the style element it adds.
  globalThis.__webpack_nonce__ = document.currentScript.nonce;

  const WELCOME = `# Run: Ctrl-Enter or Cmd-Enter
# Complete a name: Ctrl-Space
# Schema: the book icon

{
  __typename
}
`;

  function start() {
    if (!globalThis.React || !globalThis.ReactDOM || !globalThis.GraphiQL) {
      root.querySelector(".notice").textContent =
        "GraphiQL could not be loaded: the server did not send all of its files. Reload the page to try again.";
      return;
    }
    const { createElement } = React;
    const prefill = readAddress(new URLSearchParams(location.search));
    const ide = createElement(
      GraphiQL,
      { fetcher, defaultQuery: WELCOME, inputValueDeprecation: true, schemaDescription: true, ...prefill.editors },
      createElement(SelectOperation, { name: prefill.operationName }),
    );
    ReactDOM.createRoot(root).render(ide);
  }

  // The address fills the editors and never runs anything: a link must not act for the one who opens it.
  function readAddress(parameters) {
    const query = parameters.get("query");
    if (!query) return { editors: {}, operationName: null };
    // Empty, not absent: without it GraphiQL would put in the variables of the last visit.
    const variables = indented(parameters.get("variables") ?? "");
    return { editors: { query, variables }, operationName: parameters.get("operationName") };
  }

  function indented(json) {
    try {
      return json && JSON.stringify(JSON.parse(json), null, 2);
    } catch {
      return json;
    }
  }

  // GraphiQL's own operationName property would hold for every tab and every run; this selects once.
  function SelectOperation({ name }) {
    const { queryEditor, setOperationName } = GraphiQL.React.useEditorContext();
    React.useEffect(() => {
      if (queryEditor && name) setOperationName(name);
    }, [queryEditor]);
    return null;
  }

  // An observable, not a promise, so that the stop button aborts the request.
  function fetcher(parameters, { headers } = {}) {
    return {
      subscribe(observer) {
        const controller = new AbortController();
        post(parameters, headers, controller.signal).then((result) => {
          if (controller.signal.aborted) return;
          observer.next(result);
          observer.complete();
        });
        return { unsubscribe: () => controller.abort() };
      },
    };
  }

  async function post(parameters, headers, signal) {
    try {
      const response = await fetch(endpoint, {
        method: "POST",
        credentials: "same-origin",
        headers: requestHeaders(headers),
        body: JSON.stringify(parameters),
        signal,
      });
      return parse(response, await response.text());
    } catch (error) {
      return failure(`The request to ${endpoint} failed: ${error.message}. Is the server running?`);
    }
  }

  function requestHeaders(given) {
    const headers = {
      "Accept": "application/graphql-response+json, application/json;q=0.9",
      "Content-Type": "application/json",
      "GraphQL-Require-Preflight": "1",
    };
    // Read for each request: Django changes the token when somebody logs in.
    const token = cookie(csrfCookie);
    if (token) headers[csrfHeader] = token;
    return { ...headers, ...given };
  }

  function cookie(name) {
    const pair = document.cookie.split("; ").find((text) => text.startsWith(`${name}=`));
    return pair && decodeURIComponent(pair.slice(name.length + 1));
  }

  function parse(response, text) {
    try {
      return JSON.parse(text);
    } catch {
      const type = response.headers.get("Content-Type") ?? "no content type";
      const what = `${response.status} ${response.statusText}`.trim();
      return failure(`${endpoint} answered ${what} (${type}), which is not a GraphQL response.`);
    }
  }

  function failure(message) {
    return { errors: [{ message }] };
  }

  start();
})();
