//! The order of elements in answers, and which of them must be there: by the schemas of MS-ASCMD 6,
//! MS-ASAIRS 6, MS-ASEMAIL 6 and MS-ASPROV 6. Some phones read answers in order and lose what
//! comes too early.

use anyhow::{Result, bail, ensure};
use dme_eas::ProtocolVersion;
use dme_wbxml::Element;

/// How children stand within an element, given as `Parent/Name` or `Name`; `?` may be missing, `*`
/// may be there any number of times. `~` in front: in any order, each at most once.
const SHAPES: &[(&str, &str)] = &[
    ("Sync", "Status? Limit? Collections?"),
    (
        "Collections/Collection",
        "Class? SyncKey CollectionId Status MoreAvailable? Commands? Responses?",
    ),
    ("Commands/Add", "Class? ServerId ApplicationData"),
    ("Commands/Change", "Class? ServerId ApplicationData"),
    ("Commands/Delete", "Class? ServerId"),
    ("Commands/SoftDelete", "ServerId"),
    ("Responses/Add", "Class? ClientId ServerId? Status ApplicationData?"),
    ("Responses/Change", "Class? ServerId InstanceId? Status ApplicationData?"),
    ("Responses/Delete", "ServerId InstanceId? Status"),
    ("Responses/Fetch", "ServerId Status ApplicationData?"),
    ("Body", "Type EstimatedDataSize? Truncated? Data? Part? Preview?"),
    ("BodyPart", "Status Type EstimatedDataSize Truncated? Data? Part? Preview?"),
    (
        "Attachments/Attachment",
        "~DisplayName? FileReference Method EstimatedDataSize ContentId? ContentLocation? \
         IsInline? ClientId?",
    ),
    ("Answered/Attachment", "~ClientId FileReference"),
    (
        "MeetingRequest",
        "AllDayEvent? StartTime? DtStamp EndTime? InstanceType? Location? Organizer? \
         RecurrenceId? Reminder? ResponseRequested? Recurrences? Sensitivity? BusyStatus? \
         TimeZone GlobalObjId? DisallowNewTimeProposal? MeetingMessageType? UID? \
         ProposedStartTime? ProposedEndTime? Forwardees?",
    ),
    ("FolderSync", "Status SyncKey? Changes?"),
    ("Changes", "Count Update* Delete* Add*"),
    ("Changes/Add", "ServerId ParentId DisplayName Type"),
    ("FolderCreate", "Status SyncKey? ServerId?"),
    ("FolderUpdate", "Status SyncKey?"),
    ("FolderDelete", "Status SyncKey?"),
    ("MoveItems/Response", "SrcMsgId Status DstMsgId?"),
    ("GetItemEstimate/Response", "Status Collection?"),
    ("Response/Collection", "Class? CollectionId Estimate?"),
    ("ItemOperations", "Status Response?"),
    ("ItemOperations/Response", "Move* EmptyFolderContents* Fetch*"),
    (
        "Response/Fetch",
        "Status CollectionId? ServerId? LongId? Class? LinkId? FileReference? Properties?",
    ),
    ("Response/EmptyFolderContents", "Status CollectionId"),
    ("Search", "Status? Response?"),
    ("Response/Store", "Status Result* Range? Total?"),
    ("Store/Result", "Class? LongId? CollectionId? Properties?"),
    ("Find", "Status Response?"),
    ("Provision", "DeviceInformation? Status Policies? RemoteWipe? AccountOnlyRemoteWipe?"),
    ("Policies/Policy", "PolicyType Status PolicyKey? Data?"),
    ("ResolveRecipients", "Status Response*"),
    ("ResolveRecipients/Response", "To Status RecipientCount? Recipient*"),
    ("Response/Recipient", "Type DisplayName EmailAddress Availability? Certificates? Picture*"),
    (
        "Recipient/Certificates",
        "Status CertificateCount? RecipientCount? Certificate* MiniCertificate*",
    ),
    ("Ping", "Status Folders? MaxFolders? HeartbeatInterval?"),
    ("MeetingResponse/Result", "RequestId? Status CalendarId?"),
];

/// Since which version an element may stand in an answer, by the tables of MS-ASEMAIL 2.2.2,
/// MS-ASAIRS 2.2.2 and MS-ASCMD 2.2.3; `*` is all of a code page that is not named before it. An
/// older phone ends a Sync at what it does not know.
const SINCE: &[(&str, &str, ProtocolVersion)] = &[
    ("Email2", "Bcc", ProtocolVersion::V16_0),
    ("Email2", "IsDraft", ProtocolVersion::V16_0),
    ("Email2", "MeetingMessageType", ProtocolVersion::V14_1),
    ("Email2", "FirstDayOfWeek", ProtocolVersion::V14_1),
    ("Email2", "*", ProtocolVersion::V14_0),
    ("Email", "Categories", ProtocolVersion::V14_0),
    ("Email", "DisallowNewTimeProposal", ProtocolVersion::V14_0),
    ("AirSyncBase", "Preview", ProtocolVersion::V14_0),
    ("AirSyncBase", "BodyPart", ProtocolVersion::V14_1),
    ("AirSyncBase", "ClientId", ProtocolVersion::V16_0),
    ("AirSyncBase", "InstanceId", ProtocolVersion::V16_0),
    ("AirSyncBase", "Location", ProtocolVersion::V16_0),
    ("Calendar", "*", ProtocolVersion::V16_0),
    ("ComposeMail", "*", ProtocolVersion::V14_0),
    ("ItemOperations", "Move", ProtocolVersion::V14_0),
    ("Settings", "Accounts", ProtocolVersion::V14_1),
    ("Settings", "RightsManagementInformation", ProtocolVersion::V14_1),
    ("GAL", "Picture", ProtocolVersion::V14_1),
];

/// Before which version an element may stand in an answer.
const BEFORE: &[(&str, &str, ProtocolVersion)] = &[
    ("AirSync", "Class", ProtocolVersion::V14_0),
    ("Email", "GlobalObjId", ProtocolVersion::V16_0),
    ("Email", "Location", ProtocolVersion::V16_0),
];

/// Checks an answer and everything within it.
pub fn check(element: &Element, version: ProtocolVersion) -> Result<()> {
    known(element, "", version)?;
    within(element, "", false)
}

fn known(element: &Element, parent: &str, version: ProtocolVersion) -> Result<()> {
    let page = element.tag.page_name().unwrap_or("?");
    let name = element.tag.name().unwrap_or("?");
    let find = |table: &[(&str, &str, ProtocolVersion)]| {
        let of_page = table.iter().filter(|(of, ..)| *of == page);
        let mut named = of_page.filter(|(_, one, _)| *one == name || *one == "*");
        named.next().map(|(.., version)| *version)
    };
    let since = find(SINCE).unwrap_or(version);
    ensure!(version >= since, "{page}:{name} is {since}'s and told to {version}");
    // A collection's class; that of a search's result stays.
    if name != "Class" || parent == "Collection" {
        let before = find(BEFORE);
        let gone = before.is_some_and(|before| version >= before);
        ensure!(!gone, "{page}:{name} is before {before:?} only and told to {version}");
    }
    element.children().iter().try_for_each(|child| known(child, name, version))
}

/// `answered`: within the answer to what the phone wrote itself.
fn within(element: &Element, parent: &str, answered: bool) -> Result<()> {
    let name = element.tag.name().unwrap_or("?");
    let full = match (parent, name) {
        ("Attachments", "Attachment") if answered => "Answered/Attachment".into(),
        _ => format!("{parent}/{name}"),
    };
    let answered = answered || matches!(&*full, "Responses/Add" | "Responses/Change");
    let shape = |wanted: &str| SHAPES.iter().find(|(name, _)| *name == wanted);
    // Some names are a leaf's elsewhere: `Store` in an answer to Find.
    let shape = shape(&full).or_else(|| shape(name)).filter(|_| !element.children().is_empty());
    if let Some((_, shape)) = shape {
        let children: Vec<&str> =
            element.children().iter().map(|child| child.tag.name().unwrap_or("?")).collect();
        match shape.strip_prefix('~') {
            Some(shape) => any_order(&full, shape, &children)?,
            None => in_order(&full, shape, &children)?,
        }
    }
    if matches!(name, "ApplicationData" | "Properties") {
        let mut tags: Vec<_> = element.children().iter().map(|child| child.tag).collect();
        tags.sort_unstable();
        ensure!(tags.windows(2).all(|pair| pair[0] != pair[1]), "{full}: an element twice");
    }
    element.children().iter().try_for_each(|child| within(child, name, answered))
}

fn in_order(name: &str, shape: &str, children: &[&str]) -> Result<()> {
    let mut rest = children;
    for wanted in shape.split_whitespace() {
        let plain = wanted.trim_end_matches(['?', '*']);
        let there = rest.iter().take_while(|child| **child == plain).count();
        match (wanted.chars().last(), there) {
            (Some('*'), _) | (Some('?'), 0 | 1) | (_, 1) => {}
            _ => bail!("{name}: {there} times {plain} in {children:?}, wanted {shape:?}"),
        }
        rest = &rest[there..];
    }
    ensure!(rest.is_empty(), "{name}: {rest:?} out of place in {children:?}, wanted {shape:?}");
    Ok(())
}

fn any_order(name: &str, shape: &str, children: &[&str]) -> Result<()> {
    for wanted in shape.split_whitespace() {
        let plain = wanted.trim_end_matches('?');
        let there = children.iter().filter(|child| **child == plain).count();
        ensure!(there == 1 || (there == 0 && wanted != plain), "{name}: {there} times {plain}");
    }
    let known =
        |child: &&&str| !shape.split_whitespace().any(|w| w.trim_end_matches('?') == **child);
    ensure!(!children.iter().any(|child| known(&child)), "{name}: {children:?}, wanted {shape:?}");
    Ok(())
}
