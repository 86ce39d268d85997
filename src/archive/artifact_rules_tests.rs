use super::*;
use crate::archive::FoundFile;

fn inputs(major: u32, given: &[(&str, &str)]) -> Result<ArtifactInputs, ArtifactRefusal> {
    let given: Vec<(String, String)> = given
        .iter()
        .chain(&[("path", "dist")])
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    ArtifactInputs::new(major, &|name| {
        let found = given.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.clone())
    })
}

fn refusal(major: u32, name: &str, value: &str) -> String {
    inputs(major, &[(name, value)]).unwrap_err().to_string()
}

fn found(names: &[&str]) -> FoundFiles {
    FoundFiles {
        root: "/w/dist".to_owned(),
        several_search_paths: false,
        files: names
            .iter()
            .map(|name| FoundFile {
                path: format!("/w/dist/{name}"),
                name: (*name).to_owned(),
            })
            .collect(),
        hidden_left_out: 0,
    }
}

#[test]
fn inputs_have_the_defaults_of_action_yml() {
    for major in 3..=7 {
        let inputs = inputs(major, &[]).unwrap();
        assert_eq!(inputs.name, "artifact");
        assert_eq!(inputs.path, "dist");
        assert_eq!(inputs.if_no_files_found, IfNoFilesFound::Warn);
        assert_eq!(inputs.retention_days, None);
        assert_eq!(inputs.compression_level, CompressionLevel::default());
        assert!(!inputs.overwrite && !inputs.include_hidden_files && inputs.archive);
    }
}

#[test]
fn inputs_that_a_version_does_not_have_are_not_looked_at() {
    let given = [
        ("overwrite", "yes"),
        ("compression-level", "20"),
        ("archive", "no"),
    ];
    let old = inputs(3, &given).unwrap();
    assert!(!old.overwrite && old.archive);
    assert!(inputs(6, &[("archive", "false")]).unwrap().archive);
    assert!(!inputs(7, &[("archive", "False")]).unwrap().archive);
    assert!(inputs(4, &[("overwrite", "TRUE")]).unwrap().overwrite);
}

#[test]
fn inputs_out_of_order_fail_in_the_action_s_words() {
    assert_eq!(
        refusal(7, "overwrite", "yes"),
        "Input does not meet YAML 1.2 \"Core Schema\" specification: overwrite\n\
         Support boolean input list: `true | True | TRUE | false | False | FALSE`"
    );
    assert_eq!(
        refusal(4, "if-no-files-found", "fail"),
        "Unrecognized if-no-files-found input. Provided: fail. Available options: warn,error,ignore"
    );
    assert_eq!(
        refusal(4, "path", "  "),
        "Input required and not supplied: path"
    );
    assert_eq!(
        refusal(4, "retention-days", "week"),
        "Invalid retention-days"
    );
    assert_eq!(
        refusal(4, "compression-level", "best"),
        "Invalid compression-level"
    );
    for level in ["10", "-1"] {
        assert_eq!(
            refusal(4, "compression-level", level),
            "Invalid compression-level. Valid values are 0-9"
        );
    }
}

#[test]
fn numbers_are_read_as_javascript_does() {
    let days = |text| inputs(4, &[("retention-days", text)]).map(|inputs| inputs.retention_days);
    assert_eq!(days(" 7 days"), Ok(Some(7)));
    assert_eq!(days("7.9"), Ok(Some(7)));
    assert_eq!(days("0"), Ok(None));
    assert_eq!(days(""), Ok(None));
    assert_eq!(days("d7"), Err(ArtifactRefusal::RetentionDays));
    assert_eq!(days("-"), Err(ArtifactRefusal::RetentionDays));
}

#[test]
fn retention_is_cut_to_what_the_repository_allows() {
    let warning = "Retention days cannot be greater than the maximum allowed retention set within the repository. Using 30 instead.";
    assert_eq!(
        retention(Some(90), Some(30)),
        (Some(30), Some(warning.to_owned()))
    );
    assert_eq!(retention(Some(7), Some(30)), (Some(7), None));
    assert_eq!(retention(Some(90), None), (Some(90), None));
    assert_eq!(retention(None, Some(30)), (None, None));
}

#[test]
fn names_must_suit_every_file_system() {
    let name = |name: &str| artifact_name(&inputs(4, &[("name", name)]).unwrap(), &found(&["a"]));
    assert_eq!(
        name("build-x86_64 (release)"),
        Ok("build-x86_64 (release)".to_owned())
    );
    assert_eq!(name(""), Err(ArtifactRefusal::NameEmpty));
    for forbidden in [
        "a\"b", "a:b", "a<b", "a>b", "a|b", "a*b", "a?b", "a\rb", "a\nb", "a\\b", "a/b",
    ] {
        assert!(
            matches!(name(forbidden), Err(ArtifactRefusal::Name { .. })),
            "{forbidden:?}"
        );
    }
    // The toolkit's order decides which is named, not the text's.
    let message = name("rust/1:2").unwrap_err().to_string();
    assert_eq!(
        message.lines().collect::<Vec<_>>(),
        [
            "The artifact name is not valid: rust/1:2. Contains the following character:  Colon :",
            "          ",
            "Invalid characters include:  Double quote \", Colon :, Less than <, Greater than >, Vertical bar |, Asterisk *, Question mark ?, Carriage return \\r, Line feed \\n, Backslash \\, Forward slash /",
            "          ",
            "These characters are not allowed in the artifact name due to limitations with certain file systems such as NTFS. To maintain file system agnostic behavior, these characters are intentionally not allowed to prevent potential problems with downloads on different file systems.",
        ]
    );
}

#[test]
fn paths_may_have_slashes_but_no_colons() {
    let inputs = inputs(4, &[]).unwrap();
    assert!(artifact_name(&inputs, &found(&["a/b\\c"])).is_ok());
    let refusal = artifact_name(&inputs, &found(&["ok", "logs/12:30.log"])).unwrap_err();
    let message = refusal.to_string();
    assert!(
        message.starts_with(
            "The path for one of the files in artifact is not valid: /logs/12:30.log. Contains the following character:  Colon :\n"
        ),
        "{message}"
    );
    assert!(message.contains("Line feed \\n\n"), "{message}");
    assert!(message.ends_with("file systems.\n          "), "{message}");
}

#[test]
fn without_an_archive_the_only_file_gives_the_name() {
    let inputs = inputs(7, &[("archive", "false"), ("name", "in:valid")]).unwrap();
    assert_eq!(
        artifact_name(&inputs, &found(&["x/report.html"])),
        Ok("report.html".to_owned())
    );
    assert_eq!(
        artifact_name(&inputs, &found(&["a", "b"]))
            .unwrap_err()
            .to_string(),
        "When 'archive' is set to false, only a single file can be uploaded. Found 2 files to upload."
    );
    assert!(matches!(
        artifact_name(&inputs, &found(&["a?b"])),
        Err(ArtifactRefusal::Name { .. })
    ));
}

#[test]
fn the_search_tells_of_names_that_differ_in_case_and_of_the_common_ancestor() {
    assert!(search_lines(&found(&["a", "b"])).is_empty());
    let mut several = found(&["Readme", "README"]);
    several.several_search_paths = true;
    assert_eq!(
        search_lines(&several),
        [
            "Uploads are case insensitive: /w/dist/README was detected that it will be overwritten by another file with the same path",
            "Multiple search paths detected. Calculating the least common ancestor of all paths",
            "The least common ancestor is /w/dist. This will be the root directory of the artifact",
        ]
    );
}

#[test]
fn files_are_counted_in_english() {
    assert_eq!(
        count_line(1),
        "With the provided path, there will be 1 file uploaded"
    );
    assert_eq!(
        count_line(2),
        "With the provided path, there will be 2 files uploaded"
    );
    assert_eq!(
        no_files_line("dist\nout"),
        "No files were found with the provided path: dist\nout. No artifacts will be uploaded."
    );
}

#[test]
fn an_upload_is_told_as_the_version_s_client_tells_it() {
    let lines = |major, given: &[(&str, &str)], name| {
        let inputs = inputs(major, given).unwrap();
        upload_lines(&Uploaded {
            major,
            inputs: &inputs,
            name,
            size: 194,
            digest: "18db",
            id: 1003,
            url: "https://github.com/o/r/actions/runs/1/artifacts/1003",
        })
    };
    assert_eq!(
        lines(4, &[("name", "art")], "art"),
        [
            "Beginning upload of artifact content to blob storage",
            "Uploaded bytes 194",
            "Finished uploading artifact content to blob storage!",
            "SHA256 digest of uploaded artifact zip is 18db",
            "Finalizing artifact upload",
            "Artifact art.zip successfully finalized. Artifact ID 1003",
            "Artifact art has been successfully uploaded! Final size is 194 bytes. Artifact ID is 1003",
            "Artifact download URL: https://github.com/o/r/actions/runs/1/artifacts/1003",
        ]
    );
    let raw = lines(7, &[("archive", "false")], "x.json");
    assert_eq!(raw[0], "Uploading artifact: x.json");
    assert_eq!(raw[4], "SHA256 digest of uploaded artifact is 18db");
    assert_eq!(
        raw[6],
        "Artifact x.json successfully finalized. Artifact ID 1003"
    );
    assert!(raw[7].starts_with("Artifact artifact has been successfully uploaded!"));
    assert_eq!(
        lines(7, &[], "artifact")[0],
        "Uploading artifact: artifact.zip"
    );
}
