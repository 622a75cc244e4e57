//! `Sensitivity` and `Importance` of events and tasks (MS-ASCAL 2.2.2.41, MS-ASTASK 2.2.2.13,
//! 2.2.2.28).

use crate::error::{Error, Result};
use crate::fields::Fields;
use dme_model::{Importance, Privacy};
use dme_wbxml::Element;

pub(crate) fn privacy_code(privacy: Privacy) -> u8 {
    match privacy {
        Privacy::Normal => 0,
        Privacy::Personal => 1,
        Privacy::Private => 2,
        Privacy::Confidential => 3,
    }
}

/// Who may see it; empty means whoever sees the collection.
pub(crate) fn read_privacy(element: &Element) -> Result<Privacy> {
    match element.text_value()?.trim() {
        "" | "0" => Ok(Privacy::Normal),
        "1" => Ok(Privacy::Personal),
        "2" => Ok(Privacy::Private),
        "3" => Ok(Privacy::Confidential),
        _ => Err(Error::Value { element: element.tag, expected: "0 to 3" }),
    }
}

pub(crate) fn importance_code(importance: Importance) -> u8 {
    match importance {
        Importance::Low => 0,
        Importance::Normal => 1,
        Importance::High => 2,
    }
}

/// Urgency; empty means the usual.
pub(crate) fn read_importance(element: &Element) -> Result<Importance> {
    match element.text_value()?.trim() {
        "0" => Ok(Importance::Low),
        "" | "1" => Ok(Importance::Normal),
        "2" => Ok(Importance::High),
        _ => Err(Error::Value { element: element.tag, expected: "0 to 2" }),
    }
}
