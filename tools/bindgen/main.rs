//! `bindgen <module.wasm> <directory>`: the JavaScript glue of a compiled module, and the module made ready for it.
//!
//! The set-up builds this instead of wasm-bindgen's own command for a build alone: a third of the time.

use std::error::Error;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<(), Box<dyn Error>> {
    let [_, module, directory] = <[String; 3]>::try_from(std::env::args().collect::<Vec<_>>())
        .map_err(|_| "usage: bindgen <module.wasm> <directory>")?;
    Bindgen::new()
        .input_path(module)
        .no_modules(true)?
        // The glue must not look for document.currentScript: it is handed its module.
        .omit_default_module_path(true)
        .remove_producers_section(true)
        // Functions go into the order of their names; wasm-opt leaves the names out after that.
        .remove_name_section(false)
        .typescript(false)
        .generate(directory)?;
    Ok(())
}
