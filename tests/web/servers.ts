// Servers that tests attach to: one of the project, which serves the page, and real ones where they are installed.

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");
/** `cargo xtask test` says where it is. */
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const binary = process.env.RESPLAY_BINARY ?? ["debug", "release"].map((profile) => join(target, profile, "resplay")).find(existsSync);

export interface Served {
  child: ChildProcess;
  port: number;
  address: string;
  token: string;
}

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export async function serve(): Promise<Served> {
  const [port, httpPort] = [await freePort(), await freePort()];
  const words = ["serve", "--port", String(port), "--save", "", "--http-port", String(httpPort), "--http-root", join(root, "www/dist")];
  const child = spawn(binary!, words, { stdio: ["ignore", "pipe", "inherit"] });
  let log = "";
  const token = await new Promise<string>((resolve, reject) => {
    child.stdout!.on("data", (bytes: Buffer) => {
      log += bytes.toString();
      const [, found] = /#attach=([0-9a-f]+)/.exec(log) ?? [];
      if (found && log.includes("Ready to accept")) resolve(found);
    });
    child.on("exit", () => reject(new Error(log)));
  });
  return { child, port, address: `http://127.0.0.1:${httpPort}/`, token };
}

export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** A real server, with a client of the test's own. */
export class Redis {
  private socket: Socket | null = null;
  private heard = "";
  private constructor(
    public child: ChildProcess,
    readonly port: number,
    private readonly words: string[],
  ) {}

  static async start(...words: string[]): Promise<Redis> {
    const port = await freePort();
    const redis = new Redis(launch(port, words), port, words);
    await redis.connect();
    return redis;
  }

  private async connect(): Promise<void> {
    for (let tries = 0; ; tries++) {
      try {
        this.socket = await new Promise<Socket>((resolve, reject) => {
          const socket = createConnection(this.port, "127.0.0.1", () => resolve(socket));
          socket.on("error", reject);
        });
        break;
      } catch (reason) {
        if (tries > 100) throw reason;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    this.heard = "";
    this.socket.on("data", (bytes: Buffer) => (this.heard += bytes.toString("latin1")));
    this.socket.on("error", () => {});
  }

  /** Sends lines as they are and waits until all are answered; the answers in one text. */
  async run(...lines: string[]): Promise<string> {
    this.heard = "";
    const end = `end-${Math.random()}`;
    this.socket!.write([...lines, `ECHO ${end}`, ""].join("\r\n"));
    while (!this.heard.includes(`${end}\r\n`)) await new Promise((resolve) => setTimeout(resolve, 10));
    return this.heard;
  }

  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.child.once("exit", resolve));
    this.socket?.destroy();
    this.child.kill("SIGKILL");
    await ended;
  }

  async restart(): Promise<void> {
    this.child = launch(this.port, this.words);
    await this.connect();
  }
}

function launch(port: number, words: string[]): ChildProcess {
  return spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--enable-debug-command", "yes", ...words], { stdio: "ignore" });
}
