/** What a tenant may use. Null, in its own: what the installation has for every tenant; in what holds: no limit. */
export interface TenantLimits {
  readonly namespaces: number | null;
  readonly topics: number | null;
  readonly consumers: number | null;
  /** Events a second that one instance takes, in bursts of up to as many. */
  readonly eventsPerSecond: number | null;
  /** Of all its topics together: payloads and metadata. */
  readonly storageBytes: number | null;
}

export const NO_LIMITS: TenantLimits = {
  namespaces: null,
  topics: null,
  consumers: null,
  eventsPerSecond: null,
  storageBytes: null,
};

/** What holds for a tenant: its own limits, and where it has none, those of the installation. They may be above those, too. */
export const limitsThatHold = (own: TenantLimits, installation: TenantLimits): TenantLimits => ({
  namespaces: own.namespaces ?? installation.namespaces,
  topics: own.topics ?? installation.topics,
  consumers: own.consumers ?? installation.consumers,
  eventsPerSecond: own.eventsPerSecond ?? installation.eventsPerSecond,
  storageBytes: own.storageBytes ?? installation.storageBytes,
});
