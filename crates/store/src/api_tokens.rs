//! The tokens that programs administer by. Only the hash of each is kept.

use crate::session::{Row, values};
use crate::{Result, Store};
use dme_model::{Timestamp, UserId};

const PUT: &str = "INSERT INTO api_token (name, hash, duties, made, made_by, maker, expires) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING";
const BY_HASH: &str = "SELECT name, duties, made, made_by, maker, expires, last_used FROM api_token \
     WHERE hash = $1";
const ALL: &str = "SELECT name, duties, made, made_by, maker, expires, last_used FROM api_token \
     ORDER BY name";
const USED: &str = "UPDATE api_token SET last_used = $1 WHERE name = $2";
const REVOKE: &str = "DELETE FROM api_token WHERE name = $1";

/// A token that a program administers by, without its text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiToken {
    /// What administrators call it; no two have the same.
    pub name: String,
    /// What it is limited to, by the names of duties.
    pub duties: Vec<String>,
    /// When it was made.
    pub made: Timestamp,
    /// By whom, as records have them.
    pub made_by: String,
    /// The user who made it; none where it was made at the server.
    pub maker: Option<UserId>,
    /// From when on it is good for nothing.
    pub expires: Timestamp,
    /// When it was used last, to the minute; none where it never was.
    pub last_used: Option<Timestamp>,
}

fn api_token(row: &Row<'_>) -> Result<ApiToken> {
    let duties: String = row.get(1)?;
    Ok(ApiToken {
        name: row.get(0)?,
        duties: duties.split_whitespace().map(str::to_owned).collect(),
        made: row.get(2)?,
        made_by: row.get(3)?,
        maker: row.get::<Option<String>>(4)?.map(UserId::from),
        expires: row.get(5)?,
        last_used: row.get(6)?,
    })
}

impl Store {
    /// Keeps a token by the hash of its text; says whether its name was free.
    ///
    /// # Errors
    /// The database's.
    pub async fn put_api_token(&self, hash: &str, token: ApiToken) -> Result<bool> {
        let hash = hash.to_owned();
        self.write(move |session| {
            let ApiToken { name, duties, made, made_by, maker, expires, last_used: _ } = &token;
            let duties = duties.join(" ");
            let maker = maker.as_ref().map(UserId::as_str);
            let row = values![name, &hash, &duties, *made, made_by, maker, *expires];
            Ok(session.execute(PUT, row)? > 0)
        })
        .await
    }

    /// The token whose text has this hash, expired or not.
    ///
    /// # Errors
    /// The database's.
    pub async fn api_token(&self, hash: &str) -> Result<Option<ApiToken>> {
        let hash = hash.to_owned();
        self.look_up(move |session| session.query_optional(BY_HASH, values![&hash], api_token))
            .await
    }

    /// All of them, by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn api_tokens(&self) -> Result<Vec<ApiToken>> {
        self.read(|session| session.query(ALL, values![], api_token)).await
    }

    /// Notes that a token was used.
    ///
    /// # Errors
    /// The database's.
    pub async fn use_api_token(&self, name: &str, now: Timestamp) -> Result<()> {
        let name = name.to_owned();
        self.write(move |session| {
            session.execute(USED, values![now, &name])?;
            Ok(())
        })
        .await
    }

    /// Forgets a token; says whether there was one.
    ///
    /// # Errors
    /// The database's.
    pub async fn revoke_api_token(&self, name: &str) -> Result<bool> {
        let name = name.to_owned();
        self.write(move |session| Ok(session.execute(REVOKE, values![&name])? > 0)).await
    }
}
