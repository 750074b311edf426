//! docs/cli.md, made from the definition of the arguments.

use std::fmt::Write;

use clap::CommandFactory;

use super::args::Cli;

fn page() -> String {
    let mut page = String::from(
        "# The zdm command\n\nMade from the definition of the arguments: `ZDM_REWRITE=1 cargo test --lib cli::docs` rewrites it.\n",
    );
    let mut root = Cli::command().term_width(110);
    let names: Vec<String> = root
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .map(|command| command.get_name().to_owned())
        .collect();
    write!(page, "\n## zdm\n\n```text\n{}\n```\n", plain(&root.render_long_help())).unwrap();
    root.build();
    for name in names {
        let command = root.find_subcommand_mut(&name).unwrap();
        // The flags of every command stand above.
        let mut command = command.clone().mut_args(|arg| {
            let is_global = arg.get_help_heading() == Some("Global");
            arg.hide(is_global)
        });
        write!(page, "\n## zdm {name}\n\n```text\n{}\n```\n", plain(&command.render_long_help()))
            .unwrap();
    }
    page
}

fn plain(help: &clap::builder::StyledStr) -> String {
    let lines = help.to_string();
    lines.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim().to_owned()
}

#[test]
fn the_committed_page_is_what_the_definition_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cli.md");
    let page = page();
    if std::env::var_os("ZDM_REWRITE").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(committed == page, "docs/cli.md is old: ZDM_REWRITE=1 cargo test --lib cli::docs");
}
