/** The connection of a terminal to a server elsewhere: bytes over the WebSocket bridge of the server that serves the page. */

export interface Remote {
  /** Of the bridge. */
  url: string;
  token: string;
  host: string;
  port: number;
  /** The server that serves the page, whatever it is called. */
  own: boolean;
  /** Of a user, in memory only: what AUTH wants. */
  credentials?: string[];
}

export interface LinkEvents {
  /** The server was reached; it is there. */
  connected(host: string, port: number): void;
  received(bytes: Uint8Array): void;
  /** `before` the server was reached, or after. */
  ended(reason: string, before: boolean): void;
}

const UNREACHABLE = "the bridge does not answer; is the server that serves this page still running?";

export class Link {
  private socket: WebSocket | null;
  private reached = false;

  constructor(remote: Remote, host: string, port: number, events: LinkEvents) {
    const url = new URL(remote.url);
    if (!remote.own || host !== remote.host || port !== remote.port) {
      url.searchParams.set("host", host);
      url.searchParams.set("port", String(port));
    }
    const socket = new WebSocket(url, ["resplay", `token.${remote.token}`]);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      if (this.socket !== socket) return;
      if (typeof data !== "string") events.received(new Uint8Array(data as ArrayBuffer));
      else if (!this.reached) {
        this.reached = true;
        const [, at = "", number = "0"] = data.split(" ");
        events.connected(at, Number(number));
      }
    };
    socket.onclose = ({ code, reason }) => {
      if (this.socket !== socket) return;
      this.socket = null;
      events.ended(reason || (code === 1006 ? UNREACHABLE : "Server closed the connection"), !this.reached);
    };
    this.socket = socket;
  }

  send(bytes: Uint8Array): void {
    this.socket?.send(bytes as Uint8Array<ArrayBuffer>);
  }

  /** Ends it without a word. */
  close(): void {
    this.socket?.close();
    this.socket = null;
  }
}
