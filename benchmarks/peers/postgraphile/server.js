// PostGraphile 5 over the tables: the Amber preset, lists without connections, filters by the community's plugin.
// Run with the folder of node_modules as the working directory; arguments: the port.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.cwd()}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { postgraphile } = await load("postgraphile");
const { PostGraphileAmberPreset } = await load("postgraphile/presets/amber");
const { makePgService } = await load("postgraphile/adaptors/pg");
const { grafserv } = await load("postgraphile/grafserv/node");
const { PostGraphileConnectionFilterPreset } = await load("postgraphile-plugin-connection-filter");

const preset = {
  extends: [PostGraphileAmberPreset, PostGraphileConnectionFilterPreset],
  schema: { defaultBehavior: "+list -connection" },
  pgServices: [
    makePgService({ connectionString: "", schemas: ["public"], poolConfig: { max: 16 } }),
  ],
  grafserv: { graphqlPath: "/graphql", graphiql: false, watch: false },
  grafast: { explain: false },
};
const server = createServer();
server.on("error", (error) => {
  throw error;
});
const instance = postgraphile(preset);
await instance.createServ(grafserv).addTo(server);
server.listen(Number(process.argv[2]), "127.0.0.1");
