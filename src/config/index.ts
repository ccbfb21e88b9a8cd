/** Settings of a run: the config file, the environment, their check and their order. @module */
export * from "./define.ts";
export { environmentSettings, flagVariable, variableOf } from "./environment.ts";
export { type ConfigFile, type ConfigFileOptions, findConfigFile, loadConfigFile, requireConfigFile } from "./load.ts";
export { mergeSettings } from "./merge.ts";
export { describe, isRecord, SETTING_NAMES, SETTINGS, type SettingKind, problemOf, settingProblem } from "./schema.ts";
