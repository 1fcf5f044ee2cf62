//! Generates the messages and services from the contract that both sides read: `sidecar/exex/*.proto`.

use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../sidecar/exex");
    let files = ["exex.proto"];
    for file in files {
        println!("cargo:rerun-if-changed={}", folder.join(file).display());
    }
    let descriptors = protox::compile(files, [&folder])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), prost::Message::encode_to_vec(&descriptors))?;
    tonic_prost_build::configure().bytes(".exex.v1").compile_fds(descriptors)?;
    Ok(())
}
