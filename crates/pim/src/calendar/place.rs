//! Where an event takes place: `LOCATION` (RFC 5545 §3.8.1.7), `GEO`, and Apple's
//! `X-APPLE-STRUCTURED-LOCATION` for reading.
//!
//! iCalendar has no place for the rest of what EAS 16 tells of a location; `X-DME-PLACE` keeps it,
//! as texts parted by `;` of which the first is the name. Where that is no longer the event's
//! `LOCATION` someone else moved the event, and the line says nothing more.

use super::line::Line;
use super::object::Component;
use super::text;
use crate::content_line::parts;
use dme_model::Place;

const DETAILS: &str = "X-DME-PLACE";

pub(crate) fn read(event: &Component) -> Option<Place> {
    let name = event.line("LOCATION").map(|line| text::one_line(&text::unescape(line.value())));
    let name = name.unwrap_or_default();
    let mut place = Place { name, ..Place::default() };
    if let Some(line) = event.line(DETAILS) {
        let parts: Vec<String> = parts(line.value(), ';').into_iter().map(text::unescape).collect();
        if parts.first() == Some(&place.name) {
            let part = |at: usize| parts.get(at).filter(|part| !part.is_empty()).cloned();
            place.annotation = part(1);
            place.street = part(2);
            place.city = part(3);
            place.state = part(4);
            place.country = part(5);
            place.postal_code = part(6);
            place.accuracy = part(7).and_then(|text| number(&text));
            place.altitude = part(8).and_then(|text| number(&text));
            place.altitude_accuracy = part(9).and_then(|text| number(&text));
            place.uri = part(10);
        }
    }
    if let Some((latitude, longitude)) = coordinates(event) {
        place.latitude = Some(latitude);
        place.longitude = Some(longitude);
    }
    (place != Place::default()).then_some(place)
}

fn coordinates(event: &Component) -> Option<(f64, f64)> {
    let pair = |text: &str, separator| {
        let (latitude, longitude) = text.split_once(separator)?;
        let (latitude, longitude) = (number(latitude)?, number(longitude)?);
        (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some((latitude, longitude))
    };
    let geo = event.value("GEO").and_then(|value| pair(value, ';').or_else(|| pair(value, ',')));
    geo.or_else(|| {
        let uri = event.value("X-APPLE-STRUCTURED-LOCATION")?;
        pair(uri.strip_prefix("geo:")?.split(';').next()?, ',')
    })
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

pub(crate) fn set(event: &mut Component, new: Option<&Place>) {
    let before = read(event).unwrap_or_default();
    let none = Place::default();
    let new = new.unwrap_or(&none);
    if before.name != new.name {
        let name = text::escape(&new.name);
        event.set("LOCATION", (!name.is_empty()).then_some(name.as_str()));
        // It names the place as well.
        event.remove("X-APPLE-STRUCTURED-LOCATION");
    }
    if (before.latitude, before.longitude) != (new.latitude, new.longitude) {
        event.remove("X-APPLE-STRUCTURED-LOCATION");
        event.remove("GEO");
    }
    if let (Some(latitude), Some(longitude)) = (new.latitude, new.longitude)
        && coordinates(event) != Some((latitude, longitude))
    {
        event.set("GEO", Some(&format!("{latitude};{longitude}")));
    }
    let bare = Place {
        name: new.name.clone(),
        latitude: new.latitude,
        longitude: new.longitude,
        ..Place::default()
    };
    if *new == bare {
        event.remove(DETAILS);
        return;
    }
    let number = |number: Option<f64>| number.map(|number| number.to_string());
    let parts = [
        Some(text::one_line(&new.name)),
        new.annotation.clone(),
        new.street.clone(),
        new.city.clone(),
        new.state.clone(),
        new.country.clone(),
        new.postal_code.clone(),
        number(new.accuracy),
        number(new.altitude),
        number(new.altitude_accuracy),
        new.uri.clone(),
    ];
    let parts = parts.map(|part| text::escape(&part.unwrap_or_default()));
    event.replace(Line::new(DETAILS, parts.join(";")));
}
