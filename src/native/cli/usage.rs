//! What `resplay cli --help` says.

use crate::server::VERSION;

/// Every option, with what it does.
pub fn text() -> String {
    format!("resplay cli, a redis-cli {VERSION}\n\n{OPTIONS}")
}

const OPTIONS: &str = "\
Usage: resplay cli [options] [command [argument ...]]

Where to
  -h HOST, -p PORT     the server (127.0.0.1, 6379); -4 and -6 choose between its addresses
  -s PATH              a Unix socket instead
  -u URI               redis://user:password@host:port/db
  -t SECONDS           how long connecting may take
  -a PASSWORD          AUTH; better in the environment as REDISCLI_AUTH
  --user NAME          with -a: AUTH as this user
  --askpass            ask for the password
  --no-auth-warning    do not warn of a password on the command line
  -n DB                SELECT
  -2, -3               speak RESP2, or RESP3
  --tls                over TLS, to a certificate of a known authority:
    --cacert FILE, --cacertdir FOLDER   the authorities, instead of the system's
    --cert FILE, --key FILE             a certificate of one's own
    --sni NAME, --insecure, --tls-ciphers LIST, --tls-ciphersuites LIST
  -c                   follow a cluster's redirections

What to run
  -r N, -i SECONDS     run the command N times (-1: for ever), with pauses
  -x                   the last argument comes from standard input
  -X TAG               the argument that equals TAG does
  --quoted-input       arguments may be in quotes, with escapes
  --eval FILE k , a    run a script with keys and arguments
  -e                   an error reply makes a bad exit code

How to print
  --raw, --no-raw      as bytes, or for people (the default on a terminal)
  --csv, --json, --quoted-json
  -d TEXT, -D TEXT     between elements, and after replies, of raw output
  --show-pushes YN     print RESP3 pushes

Tools
  --scan [--pattern P | --quoted-pattern P] [--count N]
  --bigkeys, --memkeys, --keystats [--cursor N] [--top N], --hotkeys
  --memkeys-samples N, --keystats-samples N
  --stat, --latency, --latency-history [-i SECONDS]
  --intrinsic-latency SECONDS
  --pipe [--pipe-timeout SECONDS]     the protocol from standard input
  --rdb FILE, --functions-rdb FILE

  --help, --version

Without a command it reads lines: `help`, `:set hints`, `:set nohints`, `exit`.
Environment: REDISCLI_AUTH, REDISCLI_HISTFILE, REDISCLI_RCFILE, FAKETTY, NO_COLOR.
Missing: --cluster, --ldb, --lru-test, --latency-dist, --replica.
";
