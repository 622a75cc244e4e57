skip = Zum Inhalt springen
places = Bereiche
overview = Übersicht
devices = Geräte
users = Benutzer
connectors = Konnektoren
administrator = Administrator
delegate = Teiladministrator
auditor = Prüfer
sign-in = Anmelden
sign-in-by-link = Dieser Link meldet Sie einmal als Administrator am Server an.
sign-out = Abmelden
login = Benutzername
password = Kennwort
password-again = Ihr Kennwort noch einmal
first-time = Beim ersten Mal oder ohne Verzeichnis: auf dem Server ausführen
light = Hell
dark = Dunkel
wants = Zu entscheiden
all-well = Alles in Ordnung: nichts wartet auf Sie.
figures = Zahlen
topology = Topologie
devices-wait = { $n ->
    [one] Ein Gerät wartet auf Zulassung
   *[other] { $n } Geräte warten auf Zulassung
 }
wipes-wait = { $n ->
    [one] Eine Löschung wartet auf ihr Gerät
   *[other] { $n } Löschungen warten auf ihre Geräte
 }
messages-wait = { $n ->
    [one] Eine Nachricht wartet auf ihren Konnektor
   *[other] { $n } Nachrichten warten auf ihre Konnektoren
 }
connector-locked = Konnektor { $name } wartet auf Freigabe
certificate-ends = Das Zertifikat des Konnektors { $name } läuft binnen einer Woche ab
no-connector = Kein Konnektor ist verbunden: kein Telefon kann bedient werden
connectors-run = Konnektoren laufen
search = Suche
find = Finden
filters = Filter
all = Alle
allowed = Zugelassen
quarantined = In Quarantäne
blocked = Gesperrt
devices-found = { $n ->
    [one] Ein Gerät
   *[other] { $n } Geräte
 }
users-found = { $n ->
    [one] Ein Benutzer
   *[other] { $n } Benutzer
 }
connectors-found = { $n ->
    [one] Ein Konnektor
   *[other] { $n } Konnektoren
 }
user = Benutzer
model = Modell
protocol = Protokoll
state = Zustand
policy = Richtlinie
last-seen = Zuletzt gesehen
first-seen = Zuerst gesehen
pages = Seiten
earlier = Zurück
later = Weiter
device-id = Geräte-ID
agent = Programm
wipe = Löschung
acts = Was getan werden kann
allow = Zulassen
quarantine = In Quarantäne
block = Sperren
resync = Neu abgleichen
remove = Vergessen
wiping = Verloren oder gestohlen
wipe-account = Konto löschen
wipe-device = Ganzes Gerät löschen
unwipe = Löschung zurücknehmen
trace = Abgleichprotokoll
trace-empty = Nichts verzeichnet: kein Konflikt, nichts Unlesbares.
name = Name
address = Adresse
access = Zugang
shut-out = ausgesperrt
authentication = Kennwörter werden geprüft
enable = Wieder einlassen
disable = Aussperren
end-sessions = Sitzungen beenden
flush = Konnektoren neu fragen
routes = Wege
nobody = niemand
connector = Konnektor
tier = Rang
verdict = Urteil
load = Last
can-serve = kann bedienen
since = Seit
functions = Funktionen
enrol = Konnektor hinzufügen
enrol-how = Erstellen Sie ein Token und geben Sie es dem Betreiber des neuen Konnektors: „dme connector enroll“ nimmt es an. Der Konnektor wartet gesperrt, bis hier sein Fingerabdruck verglichen ist, außer Sie geben ihn vorab frei.
valid-seconds = Gültig für (Sekunden)
approved = vorab freigegeben
make-token = Token erstellen
tokens = Token
expires = Gültig bis
realms = Realms
realm = Realm
sources = Quellen
groups = Gruppen
trouble = Störung
refresh = Verzeichnisse jetzt lesen
fingerprint = Fingerabdruck
release = Version
peer = Von
round-trip = Umlaufzeit
watches = Beobachtungen
certificate = Zertifikat
bytes = Bytes
compare-fingerprint = Vergleichen Sie den Fingerabdruck oben Zeichen für Zeichen mit dem, was der Betreiber des Konnektors vorliest, bevor Sie ihn freigeben.
approve = Freigeben
lock = Sperren
revoke = Widerrufen
settings = Einstellungen
done = Erledigt.
wrong-password = Benutzername oder Kennwort ist falsch.
no-role = Sie können sich anmelden, haben hier aber keine Administratorrolle.
too-many = Zu viele Versuche: warten Sie eine Minute und versuchen Sie es dann noch einmal.
directory-away = Das Verzeichnis kann gerade nicht gefragt werden. Versuchen Sie es gleich noch einmal.
link-used = Dieser Link wurde schon benutzt oder ist zu alt: führen Sie „dme console“ noch einmal aus.
confirm-first = Geben Sie dafür Ihr Kennwort noch einmal ein.
session-over = Ihre Sitzung ist zu Ende: melden Sie sich wieder an.
api-tokens = API-Token
api-tokens-what = Damit verwalten Programme, jedes in den Grenzen seiner Aufgaben. Was ein Token sagt, wird einmal gezeigt, wenn es gemacht wird.
api-tokens-found = { $n ->
    [one] Ein Token
   *[other] { $n } Token
 }
duties = Aufgaben
duty-see = Benutzer, Geräte, Konnektoren ansehen
duty-operate = Geräte zulassen, sperren und löschen
duty-configure = Konnektoren, Richtlinien und Regeln ändern
duty-audit = die Aufzeichnungen lesen
made = Gemacht
last-used = Zuletzt benutzt
expired = abgelaufen
valid-days = Gültig (Tage)
shown-once = Jetzt kopieren, es wird nicht wieder gezeigt: { $name }
refused = Das ist nicht zu haben
statistics = Statistik
log = Protokoll
audit = Prüfprotokoll
kind = Art
level = Stufe
export = Alle diese Ereignisse als JSON-Zeilen ausgeben
events-dropped = { $n ->
    [one] Ein Ereignis konnte nicht geschrieben werden
   *[other] { $n } Ereignisse konnten nicht geschrieben werden
 }
newest-first = Das Neueste zuerst
time = Zeit (UTC)
message = Meldung
concerns = Betrifft
older = Ältere
audit-sound = Das Protokoll ist heil: jede Zeile ist da, unverändert und an ihrem Platz.
audit-faults = Am Protokoll wurde etwas getan:
audit-rows = Zeilen
audit-signed = Von einem Konnektor unterschrieben bis Zeile
audit-verify = Protokoll jetzt prüfen
who = Wer
act = Tat
target = Woran
outcome = Ergebnis
span = Zeitraum
day = Tag
week = Woche
month = Monat
by = Aufgeteilt nach
hour = Stunde
lines-further = { $n ->
    [one] Eine weitere Zeile ist in der CSV-Datei.
   *[other] { $n } weitere Zeilen sind in der CSV-Datei.
 }
command = Befehl
device = Gerät
requests = Anfragen
errors = Fehler
received = Empfangen
sent = Gesendet
items = Elemente
half-within = Hälfte binnen
most-within = 95 % binnen
policies = Richtlinien
policies-how = Worauf Telefone eingestellt sein müssen. Was für eine Gruppe gesetzt ist, geht der Vorgabe vor, was für das Gerät gesetzt ist, beiden; von Gruppen geht die obere der unteren vor. Jede Änderung zeigt zuerst, wen sie betrifft.
revision = Fassung
levels = Ebenen, die stärkste zuerst
level-default = Vorgabe
everyone = alle
raise = Stärker machen
take-away = Wegnehmen
new-group = Neue Gruppe
make = Anlegen
directory-groups = Verzeichnisgruppen
os = Betriebssystem
value = Wert
least = mindestens
most = höchstens
locked = gesperrt
whom = Wen betrifft es?
try-changed = { $n ->
    [one] Ändert sich für ein Gerät
   *[other] Ändert sich für { $n } Geräte
 }
try-overridden = { $n ->
    [one] Für ein Gerät von einer stärkeren Ebene verdeckt
   *[other] Für { $n } Geräte von einer stärkeren Ebene verdeckt
 }
try-untouched = { $n ->
    [one] Für ein weiteres Gerät ändert sich nichts.
   *[other] Für { $n } weitere Geräte ändert sich nichts.
 }
push = Wartende Telefone übernehmen es sofort
apply = Übernehmen
leave = Lassen, wie es ist
admission = Zulassung
admission-how = Welche Geräte hereindürfen. Die erste passende Regel entscheidet; eine Regel nach Modell oder Betriebssystem wird beurteilt, wenn das Gerät sie genannt hat.
rules-found = { $n ->
    [one] Eine Regel
   *[other] { $n } Regeln
 }
meant-for = Gilt für
then = Dann
reason = Grund
otherwise = Sonst
as-configured = wie die Konfigurationsdatei sagt
new-rule = Neue Regel
apply-rules = Regeln auf Geräte anwenden, über die niemand entschieden hat
wipes = Löschungen
what = Was
requested = Angefordert
told = Gerät hat es erfahren
acknowledged = Bestätigt
receipt = Beleg
confirm = Bestätigen
compliance = Einhaltung
groups-in = In Gruppen
pending = Wartet auf den nächsten Kontakt
call-off = Zurücknehmen
erases-account = Konto löschen:
erases-device = Ganzes Gerät löschen:
steps = Was ihm gesagt wurde
release-device = Freigeben
my-title = Meine Geräte
my-terms = Nutzungsbedingungen
my-accept = Ich nehme diese Bedingungen an
my-none = Noch kein Telefon oder Tablet hat Ihr Konto benutzt.
my-label = Name des Geräts
my-rename = Umbenennen
my-remove = Entfernen: Ich benutze es nicht mehr
my-lost-how = Wenn es verloren ist: Es wird sofort ausgesperrt, und Ihr Konto darauf wird gelöscht, sobald es sich wieder meldet. Ein Telefon mit älterem Protokoll kann das Konto nicht allein löschen; es wird ausgesperrt und behält, was es hat.
my-whole = Das ganze Gerät löschen
lost-next_contact = Erledigt. Es ist ausgesperrt; was Sie löschen ließen, wird gelöscht, sobald es sich wieder meldet.
lost-second_person = Es ist ausgesperrt. Sie haben innerhalb einer Stunde viele Geräte löschen lassen: dieses wird gelöscht, wenn ein Administrator es bestätigt hat.
lost-not = Es ist ausgesperrt und behält, was es hat: Sein Protokoll ist zu alt, um Ihr Konto allein zu löschen. Ändern Sie das Kennwort Ihrer Mail.
lost-no_login = Es ist ausgesperrt. Den Auftrag zu löschen bekommt es erst, wenn es sich angemeldet hat, und das kann es gerade nicht: Fragen Sie Ihren Administrator.
my-lost = Es ist verloren: sperren und löschen
my-block = Nur sperren
my-add = Gerät hinzufügen
my-add-how = Sie bekommen einen Code, den Sie mit der Kamera des Geräts aufnehmen. Dort müssen Sie sich nicht anmelden.
my-add-button = Code zeigen
my-with-password = Mit einem Kennwort nur für dieses Gerät
my-passwords = Kennwörter für Geräte
my-passwords-how = Ein Kennwort für ein einziges Gerät, anstelle Ihres eigenen. Es gilt auf dem ersten Gerät, das es benutzt, und auf keinem anderen.
my-bound = Benutzt von
my-unused = noch nicht benutzt
my-revoke = Zurücknehmen
my-make = Kennwort erstellen
my-made = Ein Kennwort für ein Gerät
my-once = Es wird nur dieses eine Mal gezeigt. Geben Sie es jetzt ein; nach dieser Seite kann es niemand mehr nachsehen.
my-scan = Nehmen Sie dies mit der Kamera des Geräts auf, oder öffnen Sie die Adresse auf dem Gerät. Es gilt einmal, bis
my-qr = Die Adresse als QR-Code
my-or-type = Die Adresse:
my-sign-in-how = Mit Benutzernamen und Kennwort Ihrer Mail.
my-apple = Laden Sie das Profil, öffnen Sie dann Einstellungen, tippen Sie auf „Profil geladen“ und installieren Sie es. Danach ist das Konto da.
my-profile = Profil laden
my-address = Mailadresse
my-server = Server
my-password-own = Ihr eigenes
my-password-made = wird mit dem Knopf darunter erstellt, einmal
my-gmail = Einstellungen, Konto hinzufügen, Exchange und Office 365. Geben Sie Mailadresse und Kennwort ein; wo nach dem Server gefragt wird, den Server von oben, und lassen Sie SSL/TLS an. Lassen Sie die Domain leer, und nehmen Sie den Benutzernamen von oben.
my-samsung = E-Mail, Konto hinzufügen, Exchange oder Andere, Manuelle Einrichtung, Microsoft Exchange ActiveSync. Mailadresse, Benutzername, Kennwort und Server wie oben; Sicherheit SSL.
my-outlook = Konto hinzufügen, Mailadresse eingeben, Exchange wählen, dann „Nicht Exchange?“ oder erweiterte Einstellungen: Server und Benutzername wie oben, Domain leer. Die Outlook-App holt Ihre Mail über Microsofts eigene Server, die Ihr Kennwort behalten.
my-away = Abwesenheit
my-away-state = Antworten
my-away-off = Es werden keine gesendet
my-away-on = Werden ab jetzt gesendet
my-away-within = Werden an diesen Tagen gesendet
my-away-from = Erster Tag
my-away-to = Letzter Tag
my-away-colleagues = Was Kollegen lesen (leer: nichts)
my-away-others = Was andere lesen (leer: nichts)
my-away-password = Ihr Kennwort
my-away-why = Ihr Mailsystem zeigt und ändert dies nur mit Ihrem Kennwort. Es wird einmal gebraucht und nicht behalten.
my-away-show = Zeigen
my-save = Speichern
no-user = Dieses Konto darf keine Telefone benutzen.
behaviour = Verhalten
behaviour-how = Wann sich ein Gerät schlecht benimmt, und was dann geschieht. Jedes Gerät wird für sich gezählt; von mehreren zugleich gebrochenen Regeln gilt die strengste.
behaviour-which = Geräte, die sich schlecht benehmen
behaviour-slow = bremsen
behaviour-block = aussperren, bis es freigegeben wird
behaviour-tell = nur Administratoren melden
behaviour-requests = Anfragen
behaviour-repeated_key = dieselbe Anfrage zu einem Ordner, obwohl es Neues gibt
behaviour-failing_item = derselbe Eintrag scheitert
behaviour-wrong_password = falsche Kennwörter
behaviour-errors = Anfragen, die mit Fehlern enden
counts = Was gezählt wird
threshold = Wie oft es vorkommen darf
within = In welcher Zeit
within-minutes = In wie vielen Minuten
slow-minutes = Gebremst für wie viele Minuten
take-suggested = Die vorgeschlagenen Regeln übernehmen
misbehaves = benimmt sich schlecht
devices-misbehave = { $n ->
    [one] Ein Gerät benimmt sich schlecht
   *[other] { $n } Geräte benehmen sich schlecht
 }
wipes-second = { $n ->
    [one] Eine Löschung wartet auf einen zweiten Administrator
   *[other] { $n } Löschungen warten auf einen zweiten Administrator
 }
syncs-failed = { $n ->
    [one] Ein Ordner konnte in der letzten Stunde nicht abgeglichen werden
   *[other] { $n }-mal konnte in der letzten Stunde ein Ordner nicht abgeglichen werden
 }
budget-near = Die Verbindung des Konnektors { $name } hat den größten Teil dieses Monats verbraucht
webhook-given-up = Webhook { $name } wurde aufgegeben
last-day = Die letzten 24 Stunden
latency = 95 % beantwortet in
link-bytes = Bytes auf Verbindungen
at-most = höchstens
topology-whole = Die ganze Topologie
topology-how = Links der Server, in der Mitte seine Konnektoren, rechts, was hinter jedem liegt. Die Liste darunter sagt dasselbe.
as-list = Dasselbe als Liste
server = Server
realm-orphan = Kein verbundener Konnektor ist die Quelle von Realm { $name }
directory = Verzeichnis
directory-how = Wer hereindarf, entscheiden Gruppen der Verzeichnisse. Sie werden von selbst gelesen; ist ein Verzeichnis fort, gilt das zuletzt Gelesene.
read-at = Gelesen um
age = Alter
outbox = Postausgang
outbox-how = Nachrichten von Telefonen, die warten, weil der Konnektor ihres Absenders nicht erreichbar ist. Sie gehen von selbst ab, wenn er wieder da ist.
outbox-empty = Nichts wartet.
number = Nummer
attempts = Versuche
set-aside = beiseitegelegt
routes-how = Welcher Konnektor einen Benutzer bedient, entscheiden Zuständigkeit, Angebot und wer das Postfach hat. Warum es dieser ist, steht auf der Seite des Benutzers.
simulate = Was wäre wenn …?
simulate-down = Wären diese Konnektoren fort
simulate-go = Zeigen, was aus wem würde
simulate-none = Niemand würde es merken.
simulate-all-served = Alle würden von anderen bedient.
simulate-lost = { $n ->
    [one] Eine Funktion würde von niemandem bedient
   *[other] { $n } Funktionen würden von niemandem bedient
 }
simulate-moved = { $n ->
    [one] Eine Funktion eines Benutzers würde wechseln
   *[other] { $n } Funktionen von Benutzern würden wechseln
 }
function = Funktion
now-by = Jetzt
then-by = Dann
flush-all = Konnektoren zu allen neu fragen
flush-how = In der Regel nie nötig: Routen werden von selbst neu bestimmt, wenn sich etwas ändert.
terms = Nutzungsbedingungen
terms-how = Was Benutzer auf ihrer Seite annehmen sollen. Jede Veröffentlichung ist eine neue Fassung, die alle neu annehmen.
terms-none = Nichts ist anzunehmen.
terms-text = Text; leer, wenn nichts mehr anzunehmen ist
new-terms = Neue Fassung veröffentlichen
publish = Veröffentlichen
who-accepted = Wer diese Fassung angenommen hat
accepted-by = { $n ->
    [one] Von einem Benutzer angenommen
   *[other] Von { $n } Benutzern angenommen
 }
version = Fassung
webhooks = Webhooks
webhooks-how = Ereignisse, die anderen Systemen per HTTP gemeldet werden, signiert und einen Tag lang wiederholt. Eingerichtet und geändert werden sie in der Konfigurationsdatei des Servers, weil ihre Geheimnisse dort liegen; das gilt nach einem Neustart:
webhooks-found = { $n ->
    [one] Ein Webhook
   *[other] { $n } Webhooks
 }
webhook-test = Test senden
webhook-enable = Neu beginnen
last-delivered = Zuletzt zugestellt
given-up = aufgegeben
fails = scheitert
runs-well = gut
waits = wartend
runs = laufend
many-devices = Viele Geräte
none-chosen = Kein Gerät ist ausgewählt.
with-chosen = Mit den ausgewählten
go-on = Weiter
choose = Wählen
choose-all = Alle wählen
wipe-how = Jedes wird beim nächsten Kontakt gelöscht, und von jedem bleibt ein Beleg.
wipe-limit = Löschungen, die in dieser Stunde ohne zweiten Administrator bleiben:
wipe-second = Weitere warten, bis ein anderer Administrator sie bestätigt.
wipe-told = dem Gerät gesagt
wipe-untold = dem Gerät noch nicht gesagt
wipe-requested = Löschung angefordert
today = in den letzten 24 Stunden
idle-week = seit einer Woche nicht
idle-month = seit einem Monat nicht
idle-quarter = seit einem Vierteljahr nicht
last-contact = Letzter Kontakt
more = Weiteres
directory-group = Gruppe
pending-short = wartet
compliance-compliant = Richtlinie angewandt
compliance-pending = noch nicht übernommen
compliance-partial = teilweise angewandt
compliance-refused = abgelehnt
compliance-not_asked = nicht verlangt
collections = Ordner
collection = Ordner
collections-none = Ihm wurde noch kein Ordner genannt.
outstanding = Noch zu melden
placeholders = Platzhalter
send-again = Neu senden
item = Eintrag
items-further = { $n ->
    [one] und ein weiterer
   *[other] und { $n } weitere
 }
more-to-tell = Es gab noch mehr zu melden.
known = Bekannt
steps-none = Seit dem Start des Servers wurde ihm nichts gesagt.
deed-added = neu
deed-changed = geändert
deed-deleted = gelöscht
deed-from_device = vom Gerät
deed-refused = abgelehnt
what-happened = Was geschah
trace-phone_overruled = Beide Seiten änderten es; die Änderung des Telefons wurde nicht ausgeführt.
trace-mail_system_overruled = Beide Seiten änderten es; die Änderung des Telefons wurde ausgeführt.
trace-unconvertible = Es ist nicht lesbar; das Telefon hat einen Platzhalter.
trace-resync = Das Telefon begann den Ordner neu.
order-block = Aussperren
order-policy = Richtlinie neu übernehmen
order-resync_all = Alle Ordner neu beginnen
order-resync_folder = Einen Ordner neu beginnen
order-resync_item = Einen Eintrag neu senden
events = In letzter Zeit
no-events = Nichts geschah, das vermerkt wäre.
all-events = Alles davon im Protokoll
logins = Anmeldungen
scope = Zuständigkeit
serves-whom = Bedient
checks-whose = Prüft die Anmeldungen von
scope-names = Benutzer, durch Kommas getrennt, oder die Gruppe
scope-everyone = alle
scope-users = diese Benutzer
scope-group = eine Verzeichnisgruppe
scope-scope = denen, die er bedient
primary = vorrangig
failover = Ersatz
parallel-calls = Gleichzeitige Aufrufe
queued-calls = Aufrufe, die warten dürfen
switched-off = Abgeschaltete Funktionen
save = Speichern
as-configured-again = All dies vergessen: Die Konfigurationsdatei gilt wieder
drain = Leerlaufen lassen
resume = Wieder Arbeit geben
make-code = Code zum Wiederkommen erstellen
connector-code-how = Für einen Konnektor, der seinen Schlüssel verlor oder wiederhergestellt wurde: „dme connector enroll“ nimmt den Code, und er ist wieder unter seinem alten Namen bekannt.
connector-code = Code
take-back = Zurücknehmen
bytes-since = Seit dem Start des Servers
budget = Guthaben dieses Monats
from-connector = Von ihm
to-connector = Zu ihm
on-the-wire = auf der Leitung
diagnosis = Diagnose
diagnose = Ausprobieren lassen, was er braucht
diagnose-how = Er probiert seine Mailsysteme, Verzeichnisse und seine Verbindung und nennt seine Einstellungen ohne Geheimnisse. Das dauert bis zu einer Minute.
no-diagnosis = Es wurde noch keine erstellt.
download = Herunterladen
check = Was probiert wurde
verdict-good = gut
verdict-warning = ansehen
verdict-bad = geht nicht
verdict-unknown = unbekannt
its-log = Seine letzten Warnungen
its-settings = Seine Einstellungen
configuration = Was er bedient
version-wanted = Gewünschte Fassung:
version-in-force = in Kraft:
secrets-marked = Geheimnisse sind für den Konnektor versiegelt: Hier stehen nur Marken an ihrer Stelle.
own-file = Das sagt seine eigene Konfigurationsdatei. „dme connector configure“ übergibt es dem Server.
my-no-name = Ein Name wird gebraucht, mit höchstens { $name } Zeichen.
my-unclear = Das Mailsystem kann gerade nicht gefragt werden. Versuchen Sie es in ein paar Minuten noch einmal.
my-passwords-off = Kennwörter für einzelne Geräte sind hier abgeschaltet. Ein Gerät fragt nach Ihrem eigenen.
my-passwords-needed = Ihr Mailsystem öffnet Ihre Mail nur mit Ihrem eigenen Kennwort. Ein Gerät mit einem anderen bekäme keine; deshalb kann keines erstellt werden.
my-passwords-many = Sie haben { $name } Kennwörter für Geräte, so viele wie erlaubt. Nehmen Sie erst eines zurück.
my-not-whole = Ganze Geräte löschen nur Administratoren. Ihr Konto darauf kann gelöscht werden.
my-not-removed = Ein Gerät, das gesperrt ist, wartet oder gelöscht werden soll, entfernt ein Administrator.
my-other-terms = Die Bedingungen haben sich inzwischen geändert. Lesen Sie erst die neuen.
my-away-long = Ein Text ist zu lang: höchstens { $name } Bytes.
my-not-yours = Das ist nicht Ihr Kennwort.
my-away-no-day = Geben Sie den ersten und den letzten Tag an.
my-away-order = Der letzte Tag liegt vor dem ersten.
my-away-none = Ihr Mailsystem kennt keine Abwesenheitsnachrichten.
my-link-used = Diese Adresse wurde schon benutzt oder ist zu alt. Melden Sie sich bei „Meine Geräte“ an und erstellen Sie eine neue.
my-wipe-ordered = angeordnet; gelöscht wird, sobald es sich wieder meldet
my-wipe-done = es hat gemeldet, dass alles gelöscht ist, was zu löschen war
webhook-target = Geht an
more-filters = Weitere Filter
my-certificates = Zertifikate für Geräte
my-certificates-how = Ein Zertifikat für ein einziges Gerät, anstelle eines Kennworts. Niemand kann es raten oder Ihnen über die Schulter absehen. Es gilt auf dem ersten Gerät, das es benutzt, und auf keinem anderen.
my-certificates-besides = Ein Zertifikat für ein einziges Gerät, zusätzlich zum Kennwort. Es gilt auf dem ersten Gerät, das es benutzt, und auf keinem anderen.
my-certificates-off = Zertifikate für Geräte sind hier abgeschaltet.
my-certificates-many = Sie haben { $name } Zertifikate für Geräte, so viele wie erlaubt. Nehmen Sie erst eines zurück.
my-with-certificate = Mit einem Zertifikat nur für dieses Gerät
my-certificate-first = Dieses Gerät meldet sich mit einem Zertifikat an. Erstellen Sie es hier, laden Sie es, und installieren Sie es, bevor Sie das Konto hinzufügen; wählen Sie es dort, wo das Konto nach einem Clientzertifikat fragt.
my-certify = Zertifikat erstellen
my-certified = Ein Zertifikat für ein Gerät
my-file = Zertifikat laden
my-file-how = Laden Sie die Datei auf dem Gerät und installieren Sie sie: Sie fragt einmal nach diesem Kennwort.
my-file-password = Kennwort der Datei
my-password-none = keines: Lassen Sie es leer, das Zertifikat genügt
my-ends = Gültig bis
my-ends-soon = endet bald: Fügen Sie das Gerät noch einmal hinzu
my-ended = ist abgelaufen
my-outlook-not = Die Outlook-App kann kein Zertifikat vorweisen: Sie holt Ihre Mail über Microsofts eigene Server. Nehmen Sie eine andere App.
account = Ihr Konto
roles = Rollen
code = Code Ihres Authenticators oder ein Wiederherstellungscode
code-how = Die App auf Ihrem Telefon zeigt ihn; er wechselt alle 30 Sekunden.
code-unreadable = Ihr zweiter Faktor ist nicht lesbar: lassen Sie ihn von einem anderen Administrator zurücksetzen.
wrong-code = Der Code ist falsch oder wurde schon benutzt: warten Sie auf den nächsten.
sign-in-anew = Als jemand anderes anmelden
second-factor = Zweiter Faktor
second-factor-how = Lesen Sie dies mit einer Authenticator-App ein, dann geben Sie den Code ein, den sie zeigt.
second-factor-qr = QR-Code des Geheimnisses für Ihren Authenticator
second-factor-type = Oder geben Sie dieses Geheimnis dort ein:
second-factor-confirm = Einrichten
second-factor-none = Ihr Kennwort allein lässt Sie ein. Eine Authenticator-App auf Ihrem Telefon hält andere draußen, die es erfahren haben.
second-factor-begin = Einen Authenticator einrichten
second-factor-remove = Den zweiten Faktor entfernen
second-factor-since = Ein Authenticator ist eingerichtet seit
second-factor-reset = Den zweiten Faktor zurücksetzen
recovery = Wiederherstellungscodes
recovery-how = Bewahren Sie diese Codes dort auf, wo Sie sie ohne Ihr Telefon finden. Jeder lässt Sie einmal ein, anstelle des Authenticators. Sie werden nicht noch einmal gezeigt.
recovery-kept = Ich habe sie aufbewahrt: weiter
recovery-once = Bewahren Sie diese Wiederherstellungscodes auf; jeder gilt einmal, und sie werden nicht noch einmal gezeigt: { $name }
recovery-renew = Neue Wiederherstellungscodes erstellen
recovery-left = { $n ->
    [0] Kein Wiederherstellungscode ist übrig: erstellen Sie neue.
    [one] Ein Wiederherstellungscode ist übrig.
   *[other] { $n } Wiederherstellungscodes sind übrig.
 }
sessions = Sitzungen
this-session = dieser Browser
end-all-sessions = Alle Sitzungen beenden
session-of = Angemeldet bei
session-console = dieser Konsole
session-my = der eigenen Seite
end-session = Beenden
end-other-sessions = Alle anderen beenden
signed-in-by = Angemeldet mit
browser = Browser
client-address = Adresse
began = Seit
sign-in-with = Mit { $name } anmelden
provider-again = Noch einmal zeigen, wer Sie sind, dann von neuem versuchen
provider-over = Das hat zu lange gedauert oder wurde in einem anderen Browser begonnen: melden Sie sich noch einmal an.
provider-refused = Der Anbieter hat Sie nicht eingelassen, oder sein Wort gilt hier nicht.
provider-away = Der Anbieter kann jetzt nicht gefragt werden. Melden Sie sich anders an oder versuchen Sie es später.
provider-other = Der Anbieter sagt, dass Sie jemand anderes sind.
emergency-used = Das Notfallkonto wurde benutzt: { $name }. Geben Sie ihm am Server ein anderes Kennwort (dme console emergency make), oder entfernen Sie es.
admins-told = Administratoren gemeldet
