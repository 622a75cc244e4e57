//! The order of elements in answers, and which of them must be there: by the schemas of MS-ASCMD 6,
//! MS-ASAIRS 6, MS-ASEMAIL 6 and MS-ASPROV 6. Some phones read answers in order and lose what
//! comes too early.

use anyhow::{Result, bail, ensure};
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

/// Checks an answer and everything within it.
pub fn check(element: &Element) -> Result<()> {
    within(element, "", false)
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
