/** Containers, images, volumes, networks, plugins and registries of docker. @module */
export { build, type BuildArguments } from "./build.ts";
export { compose, type ComposeArguments } from "./compose.ts";
export { container, type ContainerArguments } from "./container.ts";
export { image, type ImageArguments } from "./image.ts";
export { network, type NetworkArguments } from "./network.ts";
export { plugin, type PluginArguments } from "./plugin.ts";
export { prune, type PruneArguments } from "./prune.ts";
export { login, logout, type LoginArguments, type LogoutArguments } from "./registry.ts";
export { volume, type VolumeArguments } from "./volume.ts";
