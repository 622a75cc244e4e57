//! Where an event takes place: a text until 14.1 (`Location`, MS-ASCAL 2.2.2.27), parts of an
//! address and coordinates from 16.0 on (`airsyncbase:Location`, MS-ASAIRS 2.2.2.28).

use crate::error::{Error, Result};
use crate::fields::{Children, Fields};
use crate::line::one_line;
use crate::version::ProtocolVersion;
use dme_model::Place;
use dme_wbxml::pages::{air_sync_base as base, calendar as page};
use dme_wbxml::{Element, Tag};

/// The place as an element of this version.
pub(super) fn element(place: &Place, version: ProtocolVersion) -> Element {
    if version < ProtocolVersion::V16_0 {
        return Element::text(page::LOCATION, one_line(&in_words(place)));
    }
    let mut children = vec![];
    children.put(base::DISPLAY_NAME, one_line(&in_words(place)));
    for (tag, part) in texts(place) {
        children.put_some(tag, part.as_deref());
    }
    for (tag, number) in numbers(place) {
        children.put_some(tag, number.map(|number| number.to_string()));
    }
    children.put_some(base::LOCATION_URI, place.uri.as_deref());
    Element::parent(base::LOCATION, children)
}

/// Its name, or the parts of its address where it has none.
fn in_words(place: &Place) -> String {
    if !place.name.is_empty() {
        return place.name.clone();
    }
    let parts = [&place.street, &place.postal_code, &place.city, &place.state, &place.country];
    let parts: Vec<_> = parts.into_iter().flatten().map(String::as_str).collect();
    parts.join(", ")
}

fn texts(place: &Place) -> [(Tag, &Option<String>); 6] {
    [
        (base::ANNOTATION, &place.annotation),
        (base::STREET, &place.street),
        (base::CITY, &place.city),
        (base::STATE, &place.state),
        (base::COUNTRY, &place.country),
        (base::POSTAL_CODE, &place.postal_code),
    ]
}

fn numbers(place: &Place) -> [(Tag, Option<f64>); 5] {
    [
        (base::LATITUDE, place.latitude),
        (base::LONGITUDE, place.longitude),
        (base::ACCURACY, place.accuracy),
        (base::ALTITUDE, place.altitude),
        (base::ALTITUDE_ACCURACY, place.altitude_accuracy),
    ]
}

/// Reads either form; none where it is empty.
///
/// # Errors
/// Where a coordinate is no finite number.
pub(super) fn read(element: &Element) -> Result<Option<Place>> {
    if element.tag == page::LOCATION {
        let name = one_line(element.text_value()?.trim());
        return Ok((!name.is_empty()).then(|| Place::from(&*name)));
    }
    let text = |tag| -> Result<Option<String>> {
        let text = element.text_of(tag)?.map(|text| one_line(text.trim()));
        Ok(text.filter(|text| !text.is_empty()))
    };
    let number = |tag: Tag| match element.text_of(tag)?.map(str::trim) {
        None | Some("") => Ok(None),
        Some(number) => match number.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(number)),
            _ => Err(Error::Value { element: tag, expected: "a number" }),
        },
    };
    let place = Place {
        name: text(base::DISPLAY_NAME)?.unwrap_or_default(),
        annotation: text(base::ANNOTATION)?,
        street: text(base::STREET)?,
        city: text(base::CITY)?,
        state: text(base::STATE)?,
        country: text(base::COUNTRY)?,
        postal_code: text(base::POSTAL_CODE)?,
        latitude: number(base::LATITUDE)?,
        longitude: number(base::LONGITUDE)?,
        accuracy: number(base::ACCURACY)?,
        altitude: number(base::ALTITUDE)?,
        altitude_accuracy: number(base::ALTITUDE_ACCURACY)?,
        uri: text(base::LOCATION_URI)?,
    };
    Ok((place != Place::default()).then_some(place))
}
