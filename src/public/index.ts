/** What deploy files import from "tsinfra". @module */
export type { Condition, ConnectorArguments, FactArguments, GlobalArguments, RetryReport } from "../core/arguments.ts";
export {
  download,
  joined,
  quote,
  quoted,
  raw,
  remotePath,
  rsync,
  Secret,
  sh,
  Shell,
  upload,
  type UploadSource,
} from "../core/command.ts";
export type { Config } from "../core/config.ts";
export type {
  Capabilities,
  Connection,
  Connector,
  ConnectorContext,
  DataKey,
  FoundHost,
  Input,
  OutputStream,
  Question,
  RunOptions,
  RunResult,
  Target,
} from "../core/connector.ts";
export {
  CommandError,
  CommandTimeoutError,
  ConfigError,
  ConnectError,
  ConnectionLostError,
  DeployError,
  FactError,
  InventoryError,
  OperationError,
  OperationTypeError,
  OperationValueError,
  TsinfraError,
} from "../core/errors.ts";
export { type CommandFact, derivedFact, type Fact, fact, type NoArguments } from "../core/fact.ts";
export type {
  AsyncDeployHandle,
  DeployHandle,
  DeployResult,
  OperationHandle,
  OperationResult,
} from "../core/handle.ts";
export type {
  CommandResult,
  CurrentHost,
  Host,
  HostControl,
  InventoryHost,
  LocalFile,
  LocalFiles,
  OperationHost,
} from "../core/host.ts";
// Declarations of a project merge with what is exported as a whole, not with single names.
export type * from "../core/host-data.ts";
export { type Operation, operation, type OperationDefinition } from "../core/operation.ts";
export type { Inventory, Local, Logger, RunState } from "../core/scope.ts";
export { type Command, type Steps, withArguments } from "../core/steps.ts";
export {
  type ProgramConnector,
  programConnector,
  type ProgramControl,
  type ProgramPlace,
} from "../connectors/program/program.ts";
export { config, host, inventory, local, logger, state } from "./ambient.ts";
export { allChanged, anyChanged, type Changeable, type Changed } from "./conditions.ts";
export { defineConfig, type InfraConfig } from "../config/define.ts";
export { deploy, type DeployCall, type DeployOptions } from "./deploy.ts";
export { defineInventory, type InventoryData, type InventoryDefinition } from "./inventory.ts";
