//! What an executable tells of how it was made: compiler, C library, and whether its functions are aligned.

use record::program::Executable;
use std::io::{Read, Seek};

use object::read::{ReadCache, ReadRef};
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// Bytes to which the functions of a strategy are aligned (`.cargo/config.toml`).
const CACHE_LINE: u64 = 64;

/// The crate of the kernels, as it is written in the names of symbols.
const KERNELS: &str = "9workloads";

/// Reads what is needed of an ELF file, which may be larger than memory; of anything else, such as a script,
/// nothing is known.
pub(crate) fn executable_of(file: impl Read + Seek) -> Executable {
    let cache = ReadCache::new(file);
    let Ok(file) = object::File::parse(&cache) else { return Executable::default() };
    Executable {
        architecture: Some(format!("{:?}", file.architecture()).to_lowercase()),
        compiler: compiler(&file),
        c_library: c_library(&file).map(str::to_owned),
        aligned: aligned(&file),
    }
}

/// Compilers leave their names in `.comment`; those of the C start-up code are there too.
fn compiler<'a, R: ReadRef<'a>>(file: &object::File<'a, R>) -> Option<String> {
    let comment = file.section_by_name(".comment")?;
    let names = comment.data().ok()?.split(|&byte| byte == 0);
    let mut names = names.filter_map(|name| std::str::from_utf8(name).ok());
    Some(names.find_map(|name| name.strip_prefix("rustc version "))?.to_owned())
}

/// By the dynamic linker that it asks for; a static one by the function that starts the library.
fn c_library<'a, R: ReadRef<'a>>(file: &object::File<'a, R>) -> Option<&'static str> {
    if let Some(linker) = file.section_by_name(".interp") {
        let linker = String::from_utf8_lossy(linker.data().ok()?).into_owned();
        return Some(if linker.contains("ld-musl") { "musl" } else { "glibc" });
    }
    let has = |name: &str| file.symbols().any(|symbol| symbol.name() == Ok(name));
    match () {
        () if has("__init_libc") => Some("musl"),
        () if has("__libc_setup_tls") => Some("glibc"),
        () => None,
    }
}

fn aligned<'a, R: ReadRef<'a>>(file: &object::File<'a, R>) -> Option<bool> {
    let mut kernels = file
        .symbols()
        .filter(|symbol| {
            symbol.kind() == SymbolKind::Text
                && symbol.is_definition()
                && symbol.name().is_ok_and(|name| name.contains(KERNELS))
        })
        .peekable();
    kernels.peek()?;
    Some(kernels.all(|kernel| kernel.address().is_multiple_of(CACHE_LINE)))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::process::Command;

    use super::*;

    /// A program with kernels, compiled with these flags.
    fn compiled(flags: &[&str]) -> Executable {
        let folder = tempfile::tempdir().unwrap();
        let (source, program) = (folder.path().join("kernels.rs"), folder.path().join("program"));
        let kernel = |n: usize| {
            format!(
                "#[inline(never)] pub fn kernel_{n}(x: u64) -> u64 {{ std::hint::black_box(x) * {n} + 7 }}\n"
            )
        };
        let calls: String = (1..9).map(|n| format!("sum += kernel_{n}(sum);\n")).collect();
        let kernels: String = (1..9).map(kernel).collect();
        let main = format!("fn main() {{ let mut sum = 1;\n{calls} println!(\"{{sum}}\"); }}");
        fs::write(&source, format!("{kernels}{main}")).unwrap();
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command.args(["--edition", "2024", "--crate-name", "workloads", "-O"]).args(flags);
        command.arg("-o").arg(&program).arg(&source);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        crate::executable::executable_of(fs::File::open(&program).unwrap())
    }

    #[test]
    fn lost_alignment_shows_in_the_program() {
        let ours = "-Cllvm-args=-align-all-functions=6";
        assert_eq!(compiled(&[ours]).aligned, Some(true));
        let lost = compiled(&[]);
        assert_eq!(lost.aligned, Some(false));
        assert_eq!(lost.c_library.as_deref(), Some("glibc"));
        assert!(lost.compiler.is_some_and(|compiler| compiler.starts_with(char::is_numeric)));
        assert_eq!(compiled(&["-Cstrip=symbols"]).aligned, None, "not known");
    }

    #[test]
    fn of_a_script_nothing_is_known() {
        assert_eq!(
            crate::executable::executable_of(std::io::Cursor::new(b"#!/bin/sh\nexit 0\n")),
            Executable::default()
        );
    }
}
