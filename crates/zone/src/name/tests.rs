//! Names found in calendars.

use super::*;

#[test]
fn names_are_read_as_they_are_meant() {
    for (tzid, is) in [
        ("Europe/Berlin", "Europe/Berlin"),
        (" \"Europe/Berlin\" ", "Europe/Berlin"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("UTC", "Etc/UTC"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("w. europe standard time", "Europe/Berlin"),
        ("W. Europe Daylight Time", "Europe/Berlin"),
        ("W. Europe", "Europe/Berlin"),
        ("Eastern Standard Time (Mexico)", "America/Cancun"),
        ("Eastern", "America/New_York"),
        ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", "Europe/Berlin"),
        ("(UTC+01:00) Amsterdam, Berlin", "Europe/Amsterdam"),
        ("(GMT+01.00) Sarajevo/Warsaw/Zagreb", "Europe/Sarajevo"),
        ("(GMT-05:00) Eastern Time (US & Canada)", "America/New_York"),
        ("(GMT-05.00) Eastern Time", "America/New_York"),
        ("(UTC) Coordinated Universal Time", "Etc/UTC"),
        ("(UTC-04:00) La Paz", "America/La_Paz"),
        ("/mozilla.org/20050126_1/Europe/Berlin", "Europe/Berlin"),
        ("/mozilla.org/20050126_1/America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("/freeassociation.sourceforge.net/Europe/Berlin", "Europe/Berlin"),
        ("/freeassociation.sourceforge.net/Tzfile/America/New_York", "America/New_York"),
        ("tzone://Microsoft/Utc", "Etc/UTC"),
        ("America/New_York-1", "America/New_York"),
        ("Europe/Berlin 2", "Europe/Berlin"),
        ("W. Europe Standard Time_3", "Europe/Berlin"),
        ("Etc/GMT-1", "Etc/GMT-1"),
        ("GMT+0100", "Etc/GMT-1"),
        ("GMT-0500", "Etc/GMT+5"),
        ("UTC+5:30", "<+0530>-5:30"),
        ("UTC-03:30", "<-0330>3:30"),
        ("+01:00", "Etc/GMT-1"),
        ("GMT", "GMT"),
        ("UTC-11", "Etc/GMT+11"),
        ("UTC+12", "Etc/GMT-12"),
        ("<+01>-1<+02>,M3.5.0/2,M10.5.0/3", "<+01>-1<+02>,M3.5.0/2,M10.5.0/3"),
    ] {
        let zone = Zone::from_tzid(tzid);
        assert_eq!(zone.as_ref().map(|zone| zone.id().as_str()), Some(is), "{tzid}");
    }
}

#[test]
fn names_that_say_nothing_are_none() {
    let long = "Europe/Berlin".repeat(100);
    for tzid in [
        "",
        " ",
        "\"",
        "/",
        "Customized Time Zone",
        "tzone://Microsoft/Custom",
        "Time",
        "Standard Time",
        "My office",
        "(",
        "()",
        "(UTC+01:00)",
        "(UTC+01:00) Atlantis",
        "(UTC+05:00) Amsterdam",
        "GMT+",
        "GMT+25",
        "GMT+01:60",
        "UTC+1:2:3",
        "+",
        "-",
        "1",
        "EST9",
        "é",
        "é/é",
        "ééé1",
        &long,
    ] {
        assert_eq!(Zone::from_tzid(tzid), None, "{tzid}");
    }
}

#[test]
fn windows_names_lead_to_zones_and_back() {
    for (id, name) in [
        ("Europe/Berlin", Some("W. Europe Standard Time")),
        ("Europe/Paris", Some("Romance Standard Time")),
        ("Asia/Kolkata", Some("India Standard Time")),
        ("Asia/Calcutta", Some("India Standard Time")),
        ("Europe/Kiev", Some("FLE Standard Time")),
        ("US/Eastern", Some("Eastern Standard Time")),
        ("Etc/UTC", Some("UTC")),
        ("<+01>-1", None),
    ] {
        let zone = Zone::of(&dme_model::ZoneId::from(id)).unwrap();
        assert_eq!(zone.windows_name(), name, "{id}");
    }
    let mut zones = 0;
    for main in crate::windows::main_zones() {
        let zone = Zone::iana(main);
        let name = zone.as_ref().and_then(Zone::windows_name);
        assert_eq!(name.and_then(Zone::from_tzid), zone, "{main}");
        assert!(name.is_some_and(|name| name.len() < 32), "{main} fits into a blob");
        zones += 1;
    }
    assert_eq!(zones, 139);
}

#[test]
fn rules_are_told_without_characters_that_would_have_to_be_quoted() {
    for (id, tzid) in [
        ("Europe/Berlin", "Europe/Berlin"),
        ("Etc/UTC", "Etc/UTC"),
        ("<+0530>-5:30", "(+0530)-5_30"),
        ("<+01>-1<+02>,M3.5.0/2,M9.2.0/3", "(+01)-1(+02) M3.5.0/2 M9.2.0/3"),
        ("EST5EDT,M3.2.0,M10.1.0", "EST5EDT M3.2.0 M10.1.0"),
    ] {
        let zone = Zone::of(&dme_model::ZoneId::from(id)).unwrap();
        assert_eq!(zone.tzid(), tzid);
        assert_eq!(Zone::from_tzid(tzid), Some(zone));
    }
}
