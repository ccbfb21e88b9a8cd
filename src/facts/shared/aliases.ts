/** Names that facts have elsewhere or had before. @module */

/** Old name to the name to use. */
export const FACT_ALIASES: Readonly<Record<string, string>> = {
  "postgresql.PostgresqlDatabases": "postgres.PostgresDatabases",
  "postgresql.PostgresqlRoles": "postgres.PostgresRoles",
  "server.Crontab": "crontab.Crontab",
  "zfs.Datasets": "zfs.ZfsDatasets",
  "zfs.Filesystems": "zfs.ZfsFilesystems",
  "zfs.Pools": "zfs.ZfsPools",
  "zfs.Snapshots": "zfs.ZfsSnapshots",
  "zfs.Volumes": "zfs.ZfsVolumes",
};
