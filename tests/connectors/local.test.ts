import { createLocalConnector } from "../../src/connectors/local.ts";
import { testConnector } from "../contracts/connector.ts";
import { connectorContext, targetFor } from "../support/connectors.ts";

const connector = createLocalConnector();
testConnector({
  name: "local",
  can: connector.can,
  open: () => connector.connect!(targetFor(""), connectorContext()),
});
