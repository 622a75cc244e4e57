use super::*;
use crate::wire::response::Untagged;

fn line(stream: tokio::io::DuplexStream, max_literals: usize) -> Line {
    let deadline = Instant::now() + Duration::from_secs(5);
    Line::new(Box::new(stream), max_literals, Duration::from_secs(5), deadline)
}

#[tokio::test]
async fn responses_are_whole_however_they_are_cut() {
    let text =
        b"* 1 FETCH (UID 1 BODY[] {12}\r\na\r\n* 2 OK\r\n) X {2}\r\n\r\n)\r\n* OK {5}\r\n+ go\r\n";
    for size in [1, 2, 3, 7, 1000] {
        let (near, mut far) = tokio::io::duplex(1000);
        let bytes = text.to_vec();
        let writer = tokio::spawn(async move {
            for chunk in bytes.chunks(size) {
                far.write_all(chunk).await.unwrap();
                far.flush().await.unwrap();
                tokio::task::yield_now().await;
            }
            far
        });
        let mut line = line(near, 1000);
        let Response::Untagged(Untagged::Fetch(fetch)) = line.read().await.unwrap() else {
            panic!()
        };
        assert_eq!(fetch.bodies[0].1, "a\r\n* 2 OK\r\n)".as_bytes()[..12]);
        let status = line.read().await.unwrap();
        assert!(matches!(status, Response::Untagged(Untagged::Status(_))), "{status:?}");
        assert_eq!(line.read().await.unwrap(), Response::Continue);
        drop(writer.await.unwrap());
        assert!(matches!(line.read().await, Err(WireError::Closed(_))));
    }
}

#[tokio::test]
async fn an_announcement_beyond_the_limit_is_refused_before_it_comes() {
    for length in ["1001", "99999999999999", "18446744073709551615"] {
        let (near, mut far) = tokio::io::duplex(1000);
        far.write_all(format!("* 1 FETCH (BODY[] {{{length}}}\r\n").as_bytes()).await.unwrap();
        let read = line(near, 1000).read().await;
        assert!(matches!(read, Err(WireError::Nonsense(_))), "{read:?}");
    }
}

#[tokio::test]
async fn a_line_without_end_is_refused() {
    let (near, mut far) = tokio::io::duplex(1 << 20);
    let writer = tokio::spawn(async move {
        let junk = vec![b'x'; 1 << 20];
        while far.write_all(&junk).await.is_ok() {}
    });
    let read = line(near, 1000).read().await;
    assert!(matches!(read, Err(WireError::Nonsense(_))), "{read:?}");
    writer.await.unwrap();
}
