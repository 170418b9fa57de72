// Adds the verdict of another engine to each case; see README.md. Runs only to record: nothing of that engine is here.
const path = require("node:path");
const readline = require("node:readline");

const engine = path.join(path.resolve(process.argv[2]), "@cloud-copilot", "iam-simulate", "dist", "cjs");
const { authorize } = require(path.join(engine, "core_engine", "CoreSimulatorEngine.js"));
const { AwsRequestImpl } = require(path.join(engine, "request", "request.js"));
const { RequestContextImpl } = require(path.join(engine, "requestContext.js"));
const { DiscoveryContextKeyConstraints } = require(path.join(engine, "context_keys", "discoveryContextKeyConstraints.js"));
const { loadPolicy } = require(require.resolve("@cloud-copilot/iam-policy", { paths: [engine] }));

const load = (document) => (document ? loadPolicy(document, { name: "policy" }) : undefined);
const levels = (list) =>
  (list || []).map(({ orgIdentifier, policies }) => ({ orgIdentifier, policies: policies.map(load) }));

function verdict({ request, ...layers }) {
  const { principal, action, resource, context } = request;
  return authorize({
    request: new AwsRequestImpl(
      principal, resource, action, new RequestContextImpl(context), resource.resource === "*"),
    identityPolicies: layers.identityPolicies.map(load),
    permissionBoundaries: layers.permissionBoundaries?.map(load),
    sessionPolicy: load(layers.sessionPolicy),
    resourcePolicy: load(layers.resourcePolicy),
    serviceControlPolicies: levels(layers.serviceControlPolicies),
    resourceControlPolicies: levels(layers.resourceControlPolicies),
    vpcEndpointPolicies: undefined,
    simulationParameters: {
      simulationMode: "Strict",
      discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
    },
  }).result;
}

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const recorded = JSON.parse(line);
  console.log(JSON.stringify({ ...recorded, verdict: verdict(recorded) }));
});
