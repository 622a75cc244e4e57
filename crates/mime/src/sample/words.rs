//! What the sample mails say and who says it.

use super::chance::Chance;

/// Names and addresses of correspondents.
pub(super) const PEOPLE: [(&str, &str); 14] = [
    ("Ann Whitfield", "ann.whitfield@example.com"),
    ("Jürgen Müller-Lüdenscheidt", "j.mueller@beispiel.example"),
    ("王小明", "wang.xiaoming@example.cn"),
    ("Zoë Okafor", "zoe.okafor@example.org"),
    ("Sipho Ndlovu", "sipho@capetown.example"),
    ("Ingrid Sørensen", "ingrid@example.no"),
    ("Nkurunziza, Aline", "aline@bujumbura.example"),
    ("Łukasz Wójcik", "lukasz.wojcik@example.pl"),
    ("Priya Raman", "priya.raman@example.in"),
    ("François Lefèvre", "f.lefevre@example.fr"),
    ("田中 花子", "hanako.tanaka@example.jp"),
    ("Ελένη Παπαδοπούλου", "eleni@example.gr"),
    ("Bob O'Brien", "bob.obrien@example.ie"),
    ("IT Service Desk", "servicedesk@example.com"),
];

pub(super) const SUBJECTS: [&str; 14] = [
    "Quarterly figures for the branch",
    "Angebot für die Küchengeräte – Rückfrage",
    "Lunch on Thursday?",
    "Server room: planned power cut",
    "Fotos vom Sommerfest ☀️",
    "Contract draft, second reading",
    "Réunion de mardi: ordre du jour",
    "Your flight to Bujumbura",
    "Minutes of the site meeting",
    "Zażółć gęślą jaźń – test wydruku",
    "Delivery of the new phones",
    "Urlaubsvertretung im August",
    "Invoice 2026-1187",
    "Line to Cape Town is slow again",
];

pub(super) const CHINESE_SUBJECTS: [&str; 3] =
    ["关于下周会议的安排", "第三季度销售报告", "新办公室地址通知"];

pub(super) const CHINESE: [&str; 3] = [
    "您好，请查收附件中的报告。如有任何问题，请随时与我联系。",
    "下周三下午两点在三楼会议室开会，请准时参加。",
    "谢谢您的来信，我们已经收到您的订单，预计本周五发货。",
];

const SENTENCES: [&str; 22] = [
    "Thank you for the quick answer.",
    "I have looked through the figures and they seem right to me.",
    "Könnten Sie bitte bis Freitag Bescheid geben, ob die Größe passt?",
    "The line to the branch was down for twenty minutes this morning.",
    "Please find the documents attached.",
    "We should talk about this before the end of the month.",
    "Die Übergabe ist für nächsten Dienstag um 10:30 Uhr geplant.",
    "Nobody has asked for it yet, but they will.",
    "Let me know if the time does not suit you.",
    "Le devis vous parviendra dès réception de votre accord.",
    "The new phones arrive on Monday; each comes with a short guide.",
    "I'd rather wait until the contract is signed.",
    "Viele Grüße aus dem verschneiten Büro.",
    "There is a discount of 15% for orders above €2,000.",
    "The figures for October are 12 < 15 and 7 > 3, as expected & agreed.",
    "Please keep this to yourself for now.",
    "See you on Thursday.",
    "The warehouse counted again and found three pallets more.",
    "Ich habe die Zahlen noch einmal geprüft: sie stimmen jetzt.",
    "The workshop takes place in the large room on the second floor.",
    "If it rains we meet inside.",
    "Our supplier has confirmed the date in writing.",
];

/// A paragraph of three to seven sentences.
pub(super) fn paragraph(chance: &mut Chance) -> String {
    let count = 3 + chance.below(5);
    (0..count).map(|_| chance.pick(&SENTENCES)).collect::<Vec<_>>().join(" ")
}

/// Paragraphs of at least so many bytes in all.
pub(super) fn paragraphs(at_least: usize, chance: &mut Chance) -> Vec<String> {
    let mut all = Vec::new();
    let mut length = 0;
    while length < at_least || all.is_empty() {
        let one = paragraph(chance);
        length += one.len();
        all.push(one);
    }
    all
}
