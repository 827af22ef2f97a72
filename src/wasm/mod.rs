//! The browser host: what JavaScript sees of the engine. Converts values and nothing else.

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of the engine, as in `Cargo.toml`.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
