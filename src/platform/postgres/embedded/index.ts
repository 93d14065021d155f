export interface EmbeddedServer { readonly connection: { host: string; port: number; user: string; password: string; database: string }; stop(): Promise<void> }
export async function startEmbeddedServer(_options: { dataDir: string; log: unknown }): Promise<EmbeddedServer> { throw new Error('not here yet'); }
