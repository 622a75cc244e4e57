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
policy-taken = übernommen
policy-not-taken = noch nicht übernommen
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
export = Angezeigtes als JSON-Zeilen ausgeben
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
