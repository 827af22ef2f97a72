//! LOLWUT: a little computer art. Ours is a row of hills under the moon, another one each time.

use crate::command::declaration::*;
use crate::command::{Args, Ctx};
use crate::resp::ReplyWriter;
use crate::server::VERSION;
use crate::server::error::Result;

pub const COMMANDS: &[Command] = &[LOLWUT];

pub const LOLWUT: Command = Command {
    name: "LOLWUT",
    syntax: "[VERSION version]",
    summary: "Shows a piece of computer art and the version.",
    since: "5.0.0",
    group: Group::Server,
    flags: READONLY.and(FAST),
    run: lolwut,
    ..Command::BASE
};

const COLUMNS: i64 = 66;
const ROWS: i64 = 16;

fn lolwut(ctx: &mut Ctx, args: &mut Args, reply: &mut ReplyWriter) -> Result {
    if args.accept_with("VERSION", 1) {
        args.integer()?;
    }
    let mut picture = draw(&mut || ctx.random());
    picture.push_str(&format!("\nHills under the moon, drawn for you. Redis ver. {VERSION}\n"));
    reply.verbatim("txt", picture.as_bytes());
    Ok(())
}

/// Three ranges of hills, the near ones lower and darker. Integers only, so every machine draws the same.
fn draw(random: &mut dyn FnMut() -> u64) -> String {
    let mut below = |bound: i64| (random() % bound as u64) as i64;
    let (moon_x, moon_y) = (8 + below(COLUMNS - 16), 2 + below(2));
    let mut canvas = vec![vec![' '; COLUMNS as usize]; ROWS as usize];
    for (y, row) in canvas.iter_mut().enumerate() {
        for (x, cell) in row.iter_mut().enumerate() {
            let (dx, dy) = (x as i64 - moon_x, 2 * (y as i64 - moon_y));
            *cell = match dx * dx + dy * dy {
                0..=12 => '@',
                _ if y < 8 && below(40) == 0 => '.',
                _ => ' ',
            };
        }
    }
    for (base, shade) in [(6, '.'), (9, ':'), (12, '#')] {
        let mut height = base + below(3);
        let mut slope = below(3) - 1;
        for x in 0..COLUMNS {
            if below(5) == 0 {
                slope = below(3) - 1;
            }
            height = (height + slope * (x % 2)).clamp(base - 2, base + 3);
            for y in height..ROWS {
                canvas[y as usize][x as usize] = shade;
            }
        }
    }
    let mut text = String::new();
    for row in canvas {
        text.push_str(row.into_iter().collect::<String>().trim_end());
        text.push('\n');
    }
    text
}
