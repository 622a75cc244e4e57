//! Writes the seed corpora of the fuzz targets: `cargo run -p dme-eas --example fuzz_seeds`, in the
//! repository's root. Run it when a command learns something new.

use bytes::Bytes;
use dme_eas::body::{BodyPreference, BodyType, ContentOptions};
use dme_eas::calendar::Context;
use dme_eas::email::{self, DraftContent, NewAttachment};
use dme_eas::query::{Command, Packed, Parameters, RequestLine};
use dme_eas::server_id::ServerId;
use dme_eas::{
    ProtocolVersion, folder_create, folder_sync, get_item_estimate, item, move_items, ping, sync,
};
use dme_model::{
    Address, Attachment, AttachmentKind, Body, BodyKind, ConversationId, DeviceId, Invitation,
    InvitationMethod, Item, ItemId, Mail, MailKind, PartId, Timestamp,
};
use dme_wbxml::pages::{
    air_sync, air_sync_base, compose_mail, email as email_page, find, folder_hierarchy,
    item_operations, meeting_response, provision, resolve_recipients, search, settings,
    validate_cert,
};
use dme_wbxml::{Element, Tag, encode};
use dme_zone::Zone;
use std::path::Path;
use std::time::Duration;
use std::{fs, io};

#[path = "../tests/it/items.rs"]
mod items;

const VERSION: ProtocolVersion = ProtocolVersion::V16_1;

fn main() -> io::Result<()> {
    let documents: Vec<_> =
        documents().into_iter().map(|(name, element)| (name, encode(&element))).collect();
    write("wbxml_decode", &documents)?;
    write("eas_commands", &documents)?;
    let (events, others) = items();
    write("eas_calendar", &events)?;
    write("eas_contact", &others)?;
    write("query", &queries())
}

fn write(target: &str, seeds: &[(impl AsRef<Path>, Vec<u8>)]) -> io::Result<()> {
    let folder = Path::new("fuzz/corpus").join(target);
    fs::create_dir_all(&folder)?;
    seeds.iter().try_for_each(|(name, seed)| fs::write(folder.join(name), seed))
}

type Seeds = Vec<(String, Vec<u8>)>;

/// Events, and items of the other classes, as two versions have them.
fn items() -> (Seeds, Seeds) {
    let (mut events, mut others) = (vec![], vec![]);
    let id = ServerId::new(7, ItemId::new("e"));
    let context = Context { home: &Zone::utc(), now: items::NOW };
    for (number, item) in items::items().into_iter().enumerate() {
        for version in [ProtocolVersion::V14_1, VERSION] {
            let elements = item::to_elements(&item, &id, version, &context);
            let document = encode(&parent(air_sync::APPLICATION_DATA, elements));
            let seeds = if matches!(item, Item::Event(_)) { &mut events } else { &mut others };
            seeds.push((format!("item{number}_{version}"), document));
        }
    }
    (events, others)
}

fn text(tag: Tag, text: &str) -> Element {
    Element::text(tag, text)
}

fn parent(tag: Tag, children: Vec<Element>) -> Element {
    Element::parent(tag, children)
}

fn queries() -> Vec<(&'static str, Vec<u8>)> {
    let line = |command, parameters| RequestLine {
        command,
        user: Some("Müller@example.org".into()),
        device: DeviceId::new("ApplDNPQ1234"),
        device_type: "iPhone".into(),
        packed: None,
        parameters,
    };
    let reply = Parameters {
        collection_id: Some("5".into()),
        item_id: Some("5:12".into()),
        long_id: Some("5:13".into()),
        attachment_name: Some("5:12:1.2".into()),
        occurrence: Some("2026-01-01T00:00:00.000Z".into()),
        save_in_sent: true,
        accept_multi_part: true,
    };
    let packed = Packed { version: VERSION, policy_key: Some(3_942_919_513), locale: 0x0409 };
    let sync = line(Command::Sync, Parameters::default());
    let reply = line(Command::SmartReply, reply);
    vec![
        ("plain_sync", sync.to_plain().into_bytes()),
        ("plain_reply", reply.to_plain().into_bytes()),
        ("packed_sync", sync.to_base64(packed).unwrap_or_default().into_bytes()),
        ("packed_reply", reply.to_base64(packed).unwrap_or_default().into_bytes()),
        ("document", b"jAAJBAp2MTQwRGV2aWNlAApTbWFydFBob25l".to_vec()),
    ]
}

fn documents() -> Vec<(&'static str, Element)> {
    [folders(), syncs(), others()].concat()
}

fn folders() -> Vec<(&'static str, Element)> {
    let folder = folder_sync::Folder {
        server_id: "1".into(),
        parent_id: "0".into(),
        display_name: "Posteingang 收件箱".into(),
        kind: folder_sync::FolderType::Inbox,
    };
    let changes = folder_sync::Changes {
        added: vec![folder.clone()],
        updated: vec![folder],
        deleted: vec!["9".into()],
    };
    let list = folder_sync::Response {
        status: folder_sync::Status::Success,
        sync_key: Some("1".into()),
        changes,
    };
    let create = folder_create::Request {
        sync_key: "1".into(),
        parent_id: "0".into(),
        display_name: "Receipts".into(),
        kind: folder_sync::FolderType::UserMail,
    };
    let update = parent(
        folder_hierarchy::FOLDER_UPDATE,
        vec![
            text(folder_hierarchy::SYNC_KEY, "2"),
            text(folder_hierarchy::SERVER_ID, "9"),
            text(folder_hierarchy::PARENT_ID, "1"),
            text(folder_hierarchy::DISPLAY_NAME, "Bills"),
        ],
    );
    let delete = parent(
        folder_hierarchy::FOLDER_DELETE,
        vec![text(folder_hierarchy::SYNC_KEY, "2"), text(folder_hierarchy::SERVER_ID, "9")],
    );
    let moves = move_items::Request {
        moves: vec![move_items::Move {
            source: "1:7".into(),
            source_folder: "1".into(),
            destination_folder: "4".into(),
        }],
    };
    let moved = move_items::Response {
        status: None,
        moved: vec![move_items::Moved {
            source: "1:7".into(),
            status: move_items::Status::Success,
            destination: Some("4:1".into()),
        }],
    };
    let watch = ping::Request {
        heartbeat: Some(Duration::from_secs(900)),
        folders: Some(vec![ping::Folder { id: "1".into(), class: Some(sync::ItemClass::Email) }]),
    };
    vec![
        ("folder_sync", folder_sync::Request { sync_key: "0".into() }.to_element()),
        ("folder_list", list.to_element()),
        ("folder_create", create.to_element()),
        ("folder_update", update),
        ("folder_delete", delete),
        ("move_items", moves.to_element()),
        ("moved", moved.to_element()),
        ("ping", watch.to_element()),
        ("ping_changed", ping::Response::Changed(vec!["1".into()]).to_element()),
    ]
}

fn syncs() -> Vec<(&'static str, Element)> {
    let preference = BodyPreference {
        kind: BodyType::Html,
        truncation_size: Some(4096),
        all_or_none: true,
        preview: Some(100),
    };
    let options = sync::Options {
        class: Some(sync::ItemClass::Email),
        filter: Some(sync::FilterType::OneWeek),
        content: ContentOptions {
            preferences: vec![preference, BodyPreference::whole(BodyType::Mime)],
            part_preference: Some(preference),
            ..ContentOptions::default()
        },
        conflict: Some(sync::Conflict::ServerWins),
        max_items: None,
    };
    let draft = DraftContent {
        to: Some(mail().to),
        subject: Some("Hi".into()),
        body: Some((BodyKind::Html, Bytes::from_static(b"<p>Hi</p>"))),
        attach: vec![NewAttachment {
            client_id: "a1".into(),
            display_name: "a.txt".into(),
            content: Bytes::from_static(b"hello"),
            ..NewAttachment::default()
        }],
        detach: vec!["1:7:2".into()],
        ..DraftContent::default()
    };
    let request = sync::Request {
        collections: vec![sync::Collection {
            window_size: Some(100),
            options: vec![options.clone()],
            commands: vec![
                sync::ClientCommand::Add {
                    client_id: "c1".into(),
                    class: None,
                    send: true,
                    data: draft.to_elements(),
                },
                sync::ClientCommand::Delete { server_id: "1:6".into(), instance_id: None },
                sync::ClientCommand::Fetch { server_id: "1:7".into() },
            ],
            ..sync::Collection::new("1", "5e-2")
        }],
        wait: Some(sync::Wait::Minutes(10)),
        window_size: Some(512),
        partial: true,
    };
    let id = ServerId::new(1, ItemId::new("8"));
    let context = Context { home: &Zone::utc(), now: items::NOW };
    let data = email::to_elements(&mail(), &id, VERSION, &context);
    let flags = email::flags_to_elements(&mail().flags, VERSION);
    let response = sync::Response {
        collections: vec![sync::CollectionResponse {
            more_available: true,
            commands: vec![
                sync::ServerCommand::Add { server_id: "1:8".into(), class: None, data },
                sync::ServerCommand::Change { server_id: "1:5".into(), class: None, data: flags },
                sync::ServerCommand::SoftDelete { server_id: "1:4".into() },
            ],
            responses: vec![sync::ItemResponse::Fetch {
                server_id: "1:7".into(),
                status: sync::Status::ObjectNotFound,
                data: vec![],
            }],
            ..sync::CollectionResponse::new("1", "5e-3")
        }],
        ..sync::Response::default()
    };
    let estimate = get_item_estimate::Request {
        collections: vec![get_item_estimate::Collection {
            sync_key: "5e-3".into(),
            collection_id: "1".into(),
            conversation_mode: Some(false),
            options: vec![options],
        }],
    };
    let refused = sync::Response::limited(sync::Status::InvalidWait, sync::Limit(59));
    vec![
        ("sync", request.to_element(VERSION)),
        ("sync_answer", response.into_element(VERSION)),
        ("sync_limit", refused.into_element(VERSION)),
        ("estimate", estimate.to_element(VERSION)),
        ("estimate_12_1", estimate.to_element(ProtocolVersion::V12_1)),
    ]
}

fn mail() -> Mail {
    let address =
        |name: &str, email: &str| Address { name: Some(name.into()), email: email.into() };
    let invitation = Invitation {
        method: InvitationMethod::Request,
        uid: "{81412D3C-2A24-4E9D-B20E-11F7BBE92799}".into(),
        start: Timestamp::from_seconds(1_781_510_400),
        end: Timestamp::from_seconds(1_781_514_000),
        zone: Some("Europe/Berlin".into()),
        stamp: Timestamp::from_seconds(1_781_400_000),
        recurrence: Some("FREQ=WEEKLY;BYDAY=MO,WE;COUNT=5".into()),
        location: "Room 5".into(),
        organizer: Some(address("Ann", "ann@example.org")),
        response_requested: true,
        reminder_minutes: Some(15),
        ..Invitation::default()
    };
    let body = Body {
        kind: BodyKind::Html,
        data: Bytes::from_static("<p>Grüße</p>".as_bytes()),
        truncated: true,
        full_size: 9000,
    };
    Mail {
        from: vec![address("Ann", "ann@example.org")],
        to: vec![address("Bo, the second", "bo@example.org")],
        subject: "Invitation".into(),
        thread_topic: "Invitation".into(),
        conversation: Some(ConversationId([7; 16])),
        conversation_index: vec![1, 2, 3, 4, 5],
        kind: MailKind::Meeting(Box::new(invitation)),
        body: Some(body.clone()),
        body_part: Some(body),
        attachments: vec![Attachment {
            part: PartId::new("1.2"),
            name: "a.png".into(),
            media_type: "image/png".into(),
            size: 1234,
            kind: AttachmentKind::File,
            content_id: Some("a@b".into()),
            content_location: None,
            inline: true,
        }],
        ..Mail::default()
    }
}

fn others() -> Vec<(&'static str, Element)> {
    let policy = parent(
        provision::POLICY,
        vec![
            text(provision::POLICY_TYPE, "MS-EAS-Provisioning-WBXML"),
            text(provision::POLICY_KEY, "1307199584"),
            text(provision::STATUS, "1"),
        ],
    );
    let device = parent(
        settings::DEVICE_INFORMATION,
        vec![parent(
            settings::SET,
            vec![text(settings::MODEL, "Phone"), text(settings::USER_AGENT, "Mail/1")],
        )],
    );
    let send = vec![
        text(compose_mail::CLIENT_ID, "c9"),
        Element::empty(compose_mail::SAVE_IN_SENT_ITEMS),
        Element::opaque(compose_mail::MIME, &b"To: bo@example.org\r\n\r\nHi\r\n"[..]),
    ];
    let source = parent(
        compose_mail::SOURCE,
        vec![text(compose_mail::FOLDER_ID, "1"), text(compose_mail::ITEM_ID, "1:8")],
    );
    let reply = [vec![source], send.clone()].concat();
    let fetch = parent(
        item_operations::FETCH,
        vec![
            text(item_operations::STORE, "Mailbox"),
            text(air_sync_base::FILE_REFERENCE, "1:8:1.2"),
            parent(item_operations::OPTIONS, vec![text(item_operations::RANGE, "0-99")]),
        ],
    );
    let found = parent(
        search::STORE,
        vec![
            text(search::NAME, "Mailbox"),
            parent(
                search::QUERY,
                vec![parent(
                    search::AND,
                    vec![
                        text(air_sync::CLASS, "Email"),
                        text(air_sync::COLLECTION_ID, "1"),
                        text(search::FREE_TEXT, "hello"),
                        parent(
                            search::GREATER_THAN,
                            vec![
                                Element::empty(email_page::DATE_RECEIVED),
                                text(search::VALUE, "2026-01-01T00:00:00.000Z"),
                            ],
                        ),
                    ],
                )],
            ),
            parent(search::OPTIONS, vec![text(search::RANGE, "0-9")]),
        ],
    );
    let criterion = parent(
        find::MAILBOX_SEARCH_CRITERION,
        vec![
            parent(
                find::QUERY,
                vec![text(air_sync::CLASS, "Email"), text(find::FREE_TEXT, "hello")],
            ),
            parent(find::OPTIONS, vec![text(find::RANGE, "0-9")]),
        ],
    );
    let answer = parent(
        meeting_response::REQUEST,
        vec![
            text(meeting_response::USER_RESPONSE, "1"),
            text(meeting_response::COLLECTION_ID, "1"),
            text(meeting_response::REQUEST_ID, "1:8"),
        ],
    );
    let oof =
        parent(settings::OOF, vec![parent(settings::GET, vec![text(settings::BODY_TYPE, "Text")])]);
    let who = parent(settings::USER_INFORMATION, vec![Element::empty(settings::GET)]);
    vec![
        (
            "provision",
            parent(
                provision::PROVISION,
                vec![device.clone(), parent(provision::POLICIES, vec![policy])],
            ),
        ),
        ("settings", parent(settings::SETTINGS, vec![oof, device, who])),
        ("send_mail", parent(compose_mail::SEND_MAIL, send)),
        ("smart_reply", parent(compose_mail::SMART_REPLY, reply.clone())),
        ("smart_forward", parent(compose_mail::SMART_FORWARD, reply)),
        ("item_operations", parent(item_operations::ITEM_OPERATIONS, vec![fetch])),
        ("search", parent(search::SEARCH, vec![found])),
        (
            "find",
            parent(
                find::FIND,
                vec![
                    text(find::SEARCH_ID, "{5C2E1E6C-7C0B-4D3C-8A5C-3E9A1F3B6F11}"),
                    parent(find::EXECUTE_SEARCH, vec![criterion]),
                ],
            ),
        ),
        ("meeting_response", parent(meeting_response::MEETING_RESPONSE, vec![answer])),
        (
            "resolve_recipients",
            parent(
                resolve_recipients::RESOLVE_RECIPIENTS,
                vec![text(resolve_recipients::TO, "ann@example.org")],
            ),
        ),
        (
            "validate_cert",
            parent(
                validate_cert::VALIDATE_CERT,
                vec![parent(
                    validate_cert::CERTIFICATES,
                    vec![text(validate_cert::CERTIFICATE, "MIIB")],
                )],
            ),
        ),
    ]
}
