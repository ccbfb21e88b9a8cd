/** Files, directories and links of hosts. @module */
export { directory, type DirectoryArguments } from "./directory.ts";
export { file, type FileArguments } from "./file.ts";
export { put, type PutArguments } from "./put.ts";
export { template, type TemplateArguments } from "./template.ts";
