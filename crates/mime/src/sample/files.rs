//! Files to attach that open where they are opened: a picture, a PDF, a Word document.

use super::chance::Chance;

/// CRC-32 as PNG and ZIP use it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}

/// A PNG of stripes (PNG §11, zlib with stored blocks): about 3 × side² bytes.
pub(super) fn png(side: u16, chance: &mut Chance) -> Vec<u8> {
    let [red, green, blue, width, ..] = chance.next().to_be_bytes();
    let stripe = u16::from(width % 16) + 2;
    let mut pixels = Vec::with_capacity(usize::from(side) * (usize::from(side) * 3 + 1));
    for y in 0..side {
        // No filter.
        pixels.push(0);
        for x in 0..side {
            let light = ((x + y) / stripe).is_multiple_of(2);
            pixels.extend(if light { [red, green, blue] } else { [!red, !green, !blue] });
        }
    }
    let mut zlib = vec![0x78, 0x01];
    let blocks = pixels.chunks(65_535);
    let count = blocks.len();
    for (number, block) in blocks.enumerate() {
        let length = block.len() as u16;
        zlib.push(u8::from(number + 1 == count));
        zlib.extend(length.to_le_bytes());
        zlib.extend((!length).to_le_bytes());
        zlib.extend_from_slice(block);
    }
    zlib.extend(adler32(&pixels).to_be_bytes());
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let side = u32::from(side).to_be_bytes();
    // Eight bits a channel, true colour.
    chunk(b"IHDR", &[&side[..], &side[..], &[8, 2, 0, 0, 0]].concat(), &mut out);
    chunk(b"IDAT", &zlib, &mut out);
    chunk(b"IEND", &[], &mut out);
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((1u32, 0u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

fn chunk(kind: &[u8; 4], data: &[u8], out: &mut Vec<u8>) {
    out.extend((data.len() as u32).to_be_bytes());
    let tagged = [&kind[..], data].concat();
    out.extend_from_slice(&tagged);
    out.extend(crc32(&tagged).to_be_bytes());
}

/// A PDF of one page with these lines (ISO 32000-1 §7.5).
pub(super) fn pdf(lines: &[String]) -> Vec<u8> {
    let mut page = String::from("BT /F1 11 Tf 60 780 Td 15 TL\n");
    for line in lines {
        let safe: String =
            line.chars().filter(|c| c.is_ascii() && !"()\\".contains(*c)).take(90).collect();
        page.push_str(&format!("({safe}) Tj T*\n"));
    }
    page.push_str("ET");
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{page}\nendstream", page.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut out = String::from("%PDF-1.4\n");
    let mut places = Vec::new();
    for (number, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.push_str(&format!("{} 0 obj\n{object}\nendobj\n", number + 1));
    }
    let table = out.len();
    out.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1));
    places.iter().for_each(|place| out.push_str(&format!("{place:010} 00000 n \n")));
    let size = places.len() + 1;
    out.push_str(&format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n"));
    out.into_bytes()
}

/// A Word document of these paragraphs (ECMA-376, a ZIP of stored files).
pub(super) fn docx(paragraphs: &[String]) -> Vec<u8> {
    let body: String = paragraphs
        .iter()
        .map(|text| format!("<w:p><w:r><w:t>{}</w:t></w:r></w:p>", crate::html::escape(text)))
        .collect();
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
    let open = "http://schemas.openxmlformats.org";
    zip(&[
        (
            "[Content_Types].xml",
            format!(
                "{xml}<Types xmlns=\"{open}/package/2006/content-types\"><Default Extension=\"rels\" \
                 ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>\
                 <Override PartName=\"/word/document.xml\" ContentType=\"application/\
                 vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml\"/></Types>"
            ),
        ),
        (
            "_rels/.rels",
            format!(
                "{xml}<Relationships xmlns=\"{open}/package/2006/relationships\"><Relationship \
                 Id=\"rId1\" Type=\"{open}/officeDocument/2006/relationships/officeDocument\" \
                 Target=\"word/document.xml\"/></Relationships>"
            ),
        ),
        (
            "word/document.xml",
            format!(
                "{xml}<w:document xmlns:w=\"{open}/wordprocessingml/2006/main\">\
                 <w:body>{body}</w:body></w:document>"
            ),
        ),
    ])
}

fn zip(files: &[(&str, String)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let place = (out.len() as u32).to_le_bytes();
        let size = (content.len() as u32).to_le_bytes();
        let crc = crc32(content.as_bytes()).to_le_bytes();
        // Version 2.0, no flags, stored, no time.
        let about = [&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0][..], &crc, &size, &size].concat();
        let name_length = (name.len() as u16).to_le_bytes();
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&about);
        out.extend(name_length);
        out.extend([0, 0]);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(content.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&about);
        directory.extend(name_length);
        directory.extend([0; 12]);
        directory.extend(place);
        directory.extend_from_slice(name.as_bytes());
    }
    let place = (out.len() as u32).to_le_bytes();
    let size = (directory.len() as u32).to_le_bytes();
    let count = (files.len() as u16).to_le_bytes();
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00");
    out.extend([count, count].concat());
    out.extend_from_slice(&size);
    out.extend_from_slice(&place);
    out.extend([0, 0]);
    out
}
