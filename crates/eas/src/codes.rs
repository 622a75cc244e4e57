//! Enumerations of numbers on the wire, beside the one `Status` of each command.

/// Makes an enum of numbers that keeps those it does not know.
macro_rules! codes {
    ($(#[$outer:meta])* $enum:ident { $($(#[$doc:meta])* $name:ident = $code:literal,)* }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum $enum {
            $($(#[$doc])* $name,)*
            /// A number that the documents do not give.
            Unknown(u16),
        }

        impl $enum {
            /// The number on the wire.
            pub const fn code(self) -> u16 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Unknown(code) => code,
                }
            }

            /// The value with this number.
            pub const fn from_code(code: u16) -> Self {
                match code {
                    $($code => Self::$name,)*
                    _ => Self::Unknown(code),
                }
            }
        }
    };
}
pub(crate) use codes;
