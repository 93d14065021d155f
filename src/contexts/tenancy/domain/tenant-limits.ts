/** What a tenant may use. Null, in its own limits: that of the installation for every tenant; in those that apply: no limit. */
export interface TenantLimits {
  readonly namespaces: number | null;
  readonly topics: number | null;
  readonly consumers: number | null;
  /** Events per second that one instance accepts, in bursts of up to the same number. */
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

/** What applies to a tenant: its own limits, which may be higher, too, and where it has none, those of the installation. */
export const effectiveLimitsOf = (own: TenantLimits, installation: TenantLimits): TenantLimits => ({
  namespaces: own.namespaces ?? installation.namespaces,
  topics: own.topics ?? installation.topics,
  consumers: own.consumers ?? installation.consumers,
  eventsPerSecond: own.eventsPerSecond ?? installation.eventsPerSecond,
  storageBytes: own.storageBytes ?? installation.storageBytes,
});
