//! The client alone: connections, logins, limits, lost answers.

use crate::server::Server;
use bytes::Bytes;
use dme_eas::ProtocolVersion;
use dme_eas::folder_sync;
use dme_phone::{Account, Address, Client, Error, Loss, QueryForm, Tls, Trust};
use std::time::Duration;
use tokio::net::TcpListener;

fn client(account: Account) -> Client {
    let mut client = Client::new(account, Tls::new(&Trust::Anyone).unwrap());
    client.patience.answer = Duration::from_secs(10);
    client
}

fn first() -> folder_sync::Request {
    folder_sync::Request { sync_key: "0".into() }
}

#[tokio::test]
async fn options_tell_versions_and_commands() {
    let server = Server::start().await;
    let options = client(server.account()).options().await.unwrap();
    assert_eq!(options.newest_up_to(ProtocolVersion::V16_1), Some(ProtocolVersion::V16_1));
    assert!(!options.commands.is_empty());
}

#[tokio::test]
async fn a_server_tells_its_time_to_whoever_asks() {
    let server = Server::start().await;
    let tls = Tls::new(&Trust::Anyone).unwrap();
    let told = dme_phone::date(&server.account().address, &tls, Duration::from_secs(10)).await;
    let told = told.unwrap().unwrap();
    assert!(told.ends_with(" GMT"), "{told}");
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = Address { port: nobody.port(), ..server.account().address };
    assert!(dme_phone::date(&gone, &tls, Duration::from_secs(10)).await.is_err());
}

#[tokio::test]
async fn both_spellings_of_the_query_are_understood() {
    let server = Server::start().await;
    for query in [QueryForm::Plain, QueryForm::Base64] {
        let mut client = client(Account { query, ..server.account() });
        let answer = client.folder_sync(&first()).await.unwrap();
        assert_eq!(answer.status, folder_sync::Status::Success, "{query:?}");
    }
}

#[tokio::test]
async fn one_connection_carries_many_requests() {
    let server = Server::start().await;
    let mut client = client(server.account());
    for _ in 0..5 {
        client.folder_sync(&first()).await.unwrap();
    }
    assert_eq!(server.with(|state| state.connections), 1);
    client.disconnect();
    client.folder_sync(&first()).await.unwrap();
    assert_eq!(server.with(|state| state.connections), 2);
}

#[tokio::test]
async fn a_wrong_password_is_told_apart_from_other_failures() {
    let server = Server::start().await;
    let password = dme_model::Secret::new("wrong");
    let mut client = client(Account { password, ..server.account() });
    let error = client.folder_sync(&first()).await.unwrap_err();
    assert!(matches!(error, Error::Unauthorized), "{error}");
    assert!(!error.to_string().contains("wrong\""), "{error}");
}

#[tokio::test]
async fn an_answer_can_be_lost_after_it_was_served() {
    let server = Server::start().await;
    let mut client = client(server.account());
    client.lose_next(Loss::Answer);
    let error = client.folder_sync(&first()).await.unwrap_err();
    assert!(matches!(error, Error::AnswerDropped), "{error}");
    assert_eq!(server.with(|state| state.served.clone()), ["FolderSync"]);
    client.folder_sync(&first()).await.unwrap();
    assert_eq!(server.with(|state| state.connections), 2, "the connection was closed");
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_taken() {
    let server = Server::start().await;
    let mut client = client(server.account());
    client.patience.max_answer = 10;
    let error = client.folder_sync(&first()).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 10 }), "{error}");
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let address = Address { tls: false, ..Address::active_sync("127.0.0.1", port) };
    let account = Account::new(address, "ann", dme_model::Secret::new("x"));
    let mut plain = client(account.clone());
    plain.patience.answer = Duration::from_millis(50);
    let error = plain.folder_sync(&first()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { what: "answer", .. }), "{error}");

    let address = Address { tls: true, ..account.address.clone() };
    let mut tls = client(Account { address, ..account });
    tls.patience.connect = Duration::from_millis(50);
    let error = tls.folder_sync(&first()).await.unwrap_err();
    assert!(matches!(error, Error::Timeout { what: "connection", .. }), "{error}");
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_are_told_apart() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let account = |host: &str| {
        let address = Address { tls: false, ..Address::active_sync(host, closed) };
        Account::new(address, "ann", dme_model::Secret::new("x"))
    };
    let error = client(account("127.0.0.1")).folder_sync(&first()).await.unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    let error = client(account("no-such-host.invalid")).folder_sync(&first()).await.unwrap_err();
    assert!(matches!(error, Error::Resolve { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_no_wbxml_is_named_so() {
    let server = Server::start().await;
    let mut client = client(server.account());
    let mut reply = client.send("OPTIONS", "/", None, Bytes::new()).await.unwrap();
    assert!(reply.element(dme_eas::query::Command::Sync).unwrap().is_none(), "no body");
    reply.body = Bytes::from_static(b"<html>");
    let error = reply.element(dme_eas::query::Command::Sync).unwrap_err();
    assert!(matches!(error, Error::Wbxml(..)), "{error}");
}
