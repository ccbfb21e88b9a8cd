import { setDefaultTimeout } from "bun:test";
import { createLocalConnector } from "../../src/connectors/local.ts";
import { testConnector } from "../contracts/connector.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";
import { needTools } from "../support/machine.ts";

setDefaultTimeout(60_000);
await needTools({ rsync: "rsync" });
const connector = createLocalConnector();
testConnector({
  name: "local",
  can: connector.can,
  open: () => connector.connect!(targetFor(""), connectorContext()),
});
