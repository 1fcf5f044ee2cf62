//! Generates the messages and services from the contracts that both sides read: `sidecar/exex/*.proto`.

use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../sidecar/exex");
    let files = ["exex.proto", "remote.proto"];
    for file in files {
        println!("cargo:rerun-if-changed={}", folder.join(file).display());
    }
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let descriptors = protox::compile(files, [&folder])?;
    std::fs::write(out.join("descriptors.bin"), prost::Message::encode_to_vec(&descriptors))?;
    let exex = protox::compile([files[0]], [&folder])?;
    tonic_prost_build::configure().bytes(".").compile_fds(exex)?;

    // The server of the official service by itself: it sends notifications that were encoded once for all subscribers.
    let remote = protox::compile([files[1]], [&folder])?;
    tonic_prost_build::configure().bytes(".").build_server(false).compile_fds(remote.clone())?;
    let server = out.join("server");
    std::fs::create_dir_all(&server)?;
    tonic_prost_build::configure()
        .build_client(false)
        .extern_path(".exex", "crate::proto::remote")
        .extern_path(".exex.ExExNotification", "crate::remote::EncodedNotification")
        .out_dir(server)
        .compile_fds(remote)?;
    Ok(())
}
