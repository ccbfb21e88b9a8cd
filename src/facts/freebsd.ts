/** Facts about FreeBSD: packages, services, settings of rc.conf. @module */
import { operand, sh, type Shell, substituted } from "../core/command.ts";
import { fact } from "../core/fact.ts";

/** Where to ask. */
export interface JailArguments {
  /** Name or id of a jail; default: the host itself. */
  readonly jail?: string;
}

/** Arguments of `freebsd.PkgPackage`. */
export interface PackageArguments extends JailArguments {
  /** Name of the package. */
  readonly package: string;
}
/** Arguments of `freebsd.ServiceScript` and `freebsd.ServiceStatus`. */
export interface ServiceArguments extends JailArguments {
  /** Name of the service's rc script. */
  readonly srvName: string;
}
/** Arguments of `freebsd.Sysrc`. */
export interface SysrcArguments extends JailArguments {
  /** Name of the setting. */
  readonly parameter: string;
}

/** Name and version of an installed package: `vim-9.0`; absent when it is not installed. */
export const PkgPackage = answer<PackageArguments>("freebsd.PkgPackage", ({ package: name, jail }) =>
  jail === undefined
    ? sh`pkg info -E -- ${name} 2> /dev/null || true`
    : sh`pkg -j ${jail} info -E -- ${name} 2> /dev/null || true`,
);

/** The service's name if there is an rc script for it, else absent. */
export const ServiceScript = answer<ServiceArguments>(
  "freebsd.ServiceScript",
  ({ srvName, jail = "" }) =>
    sh`for service in ${substituted(sh`service -j ${jail} -l`)}; do if [ ${srvName} = "$service" ]; then echo "$service"; fi; done`,
);

/** `running`, or absent. */
export const ServiceStatus = answer<ServiceArguments>(
  "freebsd.ServiceStatus",
  ({ srvName, jail = "" }) =>
    sh`service -j ${jail} ${operand(srvName)} status > /dev/null 2>&1; if [ $? -eq 0 ]; then echo running; fi`,
);

/** Value of a setting of rc.conf; absent when it has none. */
export const Sysrc = answer<SysrcArguments>("freebsd.Sysrc", ({ parameter, jail }) =>
  jail === undefined ? sh`sysrc -in -- ${parameter} || true` : sh`sysrc -j ${jail} -in -- ${parameter} || true`,
);

function answer<A extends object>(name: string, command: (args: A) => Shell) {
  return fact<A, string | undefined>({ name, command, parse: lines => lines.join("\n"), empty: undefined });
}
