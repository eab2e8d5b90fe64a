// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package pinnednote

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// PinnedNoteNote is an auto generated low-level Go binding around an user-defined struct.
type PinnedNoteNote struct {
	Author common.Address
	State  uint8
	Reason uint8
	Blocks uint64
	Size   uint64
	Cid    []byte
}

// Terms is an auto generated low-level Go binding around an user-defined struct.
type Terms struct {
	Seq          uint64
	Consumer     common.Address
	Action       uint16
	CallbackGas  uint32
	Deadline     *big.Int
	AttemptUntil *big.Int
	RefundTo     common.Address
	Fee          *big.Int
	AttemptFee   *big.Int
	PayloadHash  [32]byte
	ContextHash  [32]byte
}

// PinnedNoteMetaData contains all meta data concerning the PinnedNote contract.
var PinnedNoteMetaData = bind.MetaData{
	ABI: "[{\"type\":\"constructor\",\"inputs\":[{\"name\":\"provider_\",\"type\":\"address\",\"internalType\":\"contractIExecutionProvider\"},{\"name\":\"callbackGas_\",\"type\":\"uint32\",\"internalType\":\"uint32\"}],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"MAX_BYTES\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint64\",\"internalType\":\"uint64\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"TERM\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"answerWithin\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint40\",\"internalType\":\"uint40\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"callbackGas\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint32\",\"internalType\":\"uint32\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"count\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"noteOf\",\"inputs\":[{\"name\":\"note\",\"type\":\"uint256\",\"internalType\":\"uint256\"}],\"outputs\":[{\"name\":\"\",\"type\":\"tuple\",\"internalType\":\"structPinnedNote.Note\",\"components\":[{\"name\":\"author\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"state\",\"type\":\"uint8\",\"internalType\":\"enumPinnedNote.State\"},{\"name\":\"reason\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"blocks\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"size\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"cid\",\"type\":\"bytes\",\"internalType\":\"bytes\"}]}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"onOracleResult\",\"inputs\":[{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"context\",\"type\":\"bytes\",\"internalType\":\"bytes\"},{\"name\":\"outcome\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"reason\",\"type\":\"uint8\",\"internalType\":\"uint8\"},{\"name\":\"result\",\"type\":\"bytes\",\"internalType\":\"bytes\"}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"function\",\"name\":\"provider\",\"inputs\":[],\"outputs\":[{\"name\":\"\",\"type\":\"address\",\"internalType\":\"contractIExecutionProvider\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"publish\",\"inputs\":[{\"name\":\"cid\",\"type\":\"bytes\",\"internalType\":\"bytes\"}],\"outputs\":[{\"name\":\"note\",\"type\":\"uint256\",\"internalType\":\"uint256\"},{\"name\":\"requestId\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}],\"stateMutability\":\"payable\"},{\"type\":\"function\",\"name\":\"quote\",\"inputs\":[],\"outputs\":[{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"}],\"stateMutability\":\"view\"},{\"type\":\"function\",\"name\":\"withdrawRequest\",\"inputs\":[{\"name\":\"terms\",\"type\":\"tuple\",\"internalType\":\"structTerms\",\"components\":[{\"name\":\"seq\",\"type\":\"uint64\",\"internalType\":\"uint64\"},{\"name\":\"consumer\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"action\",\"type\":\"uint16\",\"internalType\":\"uint16\"},{\"name\":\"callbackGas\",\"type\":\"uint32\",\"internalType\":\"uint32\"},{\"name\":\"deadline\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"attemptUntil\",\"type\":\"uint40\",\"internalType\":\"uint40\"},{\"name\":\"refundTo\",\"type\":\"address\",\"internalType\":\"address\"},{\"name\":\"fee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"attemptFee\",\"type\":\"uint96\",\"internalType\":\"uint96\"},{\"name\":\"payloadHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"},{\"name\":\"contextHash\",\"type\":\"bytes32\",\"internalType\":\"bytes32\"}]}],\"outputs\":[],\"stateMutability\":\"nonpayable\"},{\"type\":\"event\",\"name\":\"NoteAnswered\",\"inputs\":[{\"name\":\"note\",\"type\":\"uint256\",\"indexed\":true,\"internalType\":\"uint256\"},{\"name\":\"state\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"enumPinnedNote.State\"},{\"name\":\"reason\",\"type\":\"uint8\",\"indexed\":false,\"internalType\":\"uint8\"},{\"name\":\"blocks\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"},{\"name\":\"size\",\"type\":\"uint64\",\"indexed\":false,\"internalType\":\"uint64\"}],\"anonymous\":false},{\"type\":\"event\",\"name\":\"NotePublished\",\"inputs\":[{\"name\":\"note\",\"type\":\"uint256\",\"indexed\":true,\"internalType\":\"uint256\"},{\"name\":\"author\",\"type\":\"address\",\"indexed\":true,\"internalType\":\"address\"},{\"name\":\"requestId\",\"type\":\"bytes32\",\"indexed\":true,\"internalType\":\"bytes32\"},{\"name\":\"cid\",\"type\":\"bytes\",\"indexed\":false,\"internalType\":\"bytes\"}],\"anonymous\":false},{\"type\":\"error\",\"name\":\"Oracle_NotProvider\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]},{\"type\":\"error\",\"name\":\"Oracle_ZeroProvider\",\"inputs\":[]},{\"type\":\"error\",\"name\":\"PinnedNote_NotAuthor\",\"inputs\":[{\"name\":\"caller\",\"type\":\"address\",\"internalType\":\"address\"}]}]",
	ID:  "PinnedNote",
	Bin: "0x60e060405234801561000f575f5ffd5b506040516115f33803806115f383398101604081905261002e916100ed565b816001600160a01b03811661005657604051630f92617d60e21b815260040160405180910390fd5b6001600160a01b0390811660805263ffffffff821660a05260408051630315527360e61b815290519184169163c5549cc0916004808201926020929091908290030181865afa1580156100ab573d5f5f3e3d5ffd5b505050506040513d601f19601f820116820180604052508101906100cf9190610138565b6100db90610e10610163565b64ffffffffff1660c052506101929050565b5f5f604083850312156100fe575f5ffd5b82516001600160a01b0381168114610114575f5ffd5b602084015190925063ffffffff8116811461012d575f5ffd5b809150509250929050565b5f60208284031215610148575f5ffd5b815164ffffffffff8116811461015c575f5ffd5b9392505050565b64ffffffffff818116838216019081111561018c57634e487b7160e01b5f52601160045260245ffd5b92915050565b60805160a05160c0516114076101ec5f395f818161013c01526105a101525f818161023d01528181610574015261067801525f818160d0015281816103040152818161082c01528181610a4a0152610ac201526114075ff3fe60806040526004361061009a575f3560e01c80637428675711610062578063742867571461018a5780637fd28346146101a9578063999b93af146101d1578063a068fd80146101fd578063a10132ad1461022c578063bc91f34d14610274575f5ffd5b806306661abd1461009e578063085d4883146100bf578063272084b81461010a57806352d137331461012b5780635ea25e2814610174575b5f5ffd5b3480156100a9575f5ffd5b505f546040519081526020015b60405180910390f35b3480156100ca575f5ffd5b506100f27f000000000000000000000000000000000000000000000000000000000000000081565b6040516001600160a01b0390911681526020016100b6565b348015610115575f5ffd5b50610129610124366004610b64565b6102a0565b005b348015610136575f5ffd5b5061015e7f000000000000000000000000000000000000000000000000000000000000000081565b60405164ffffffffff90911681526020016100b6565b34801561017f575f5ffd5b5061015e62ed4e0081565b348015610195575f5ffd5b506101296101a4366004610bd7565b6102f9565b6101bc6101b7366004610c6f565b61035c565b604080519283526020830191909152016100b6565b3480156101dc575f5ffd5b506101e561065e565b6040516001600160601b0390911681526020016100b6565b348015610208575f5ffd5b50610214630200000081565b6040516001600160401b0390911681526020016100b6565b348015610237575f5ffd5b5061025f7f000000000000000000000000000000000000000000000000000000000000000081565b60405163ffffffff90911681526020016100b6565b34801561027f575f5ffd5b5061029361028e366004610cad565b6106a2565b6040516100b69190610d26565b336102b160e0830160c08401610db6565b6001600160a01b0316146102df5760405163199f53a160e01b81523360048201526024015b60405180910390fd5b6102f66102f136839003830183610e80565b610815565b50565b336001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000161461034457604051633710d51f60e21b81523360048201526024016102d6565b61035387878787878787610891565b50505050505050565b5f80546040805160c081018252338152602080820185905281830185905260608201859052608082018590528251601f8701829004820281018201909352858352929392839260a083019188908890819084018382808284375f9201829052509390945250508354600181018555938152602090819020835160039095020180546001600160a01b031981166001600160a01b0390961695861782559184015193949093925083916001600160a81b03191617600160a01b83600281111561042657610426610cc4565b021790555060408201518154606084015168ffffffffffffffffff60a81b19909116600160a81b60ff9093169290920267ffffffffffffffff60b01b191691909117600160b01b6001600160401b0392831602178255608083015160018301805467ffffffffffffffff19169190921617905560a082015160028201906104ad9082610fca565b5050506104ff6040518060c00160405280606081526020015f6001600160a01b031681526020015f6001600160401b031681526020015f64ffffffffff16815260200160608152602001606081525090565b84848080601f0160208091040260200160405190810160405280939291908181526020018383808284375f920191909152505050908252503360208201526302000000604082015261055462ed4e0042611084565b64ffffffffff1660608083019190915260408051918201905263ffffffff7f00000000000000000000000000000000000000000000000000000000000000001681525f90602081016105c67f000000000000000000000000000000000000000000000000000000000000000042611084565b64ffffffffff168152602001336001600160a01b0316815250905061060e82856040516020016105f891815260200190565b60405160208183030381529060405283346109bc565b925082336001600160a01b0316857f068f508ea99355697a9649f79ab78d9bd8a9657aa9d57db3fa6f66ef4050c9ca898960405161064d9291906110b3565b60405180910390a450509250929050565b5f61069c6001630200000061067662ed4e0042611084565b7f00000000000000000000000000000000000000000000000000000000000000006109fd565b50919050565b6040805160c0810182525f8082526020820181905291810182905260608082018390526080820183905260a08201528154909190839081106106e6576106e66110e1565b5f9182526020918290206040805160c0810190915260039092020180546001600160a01b0381168352919290919083019060ff600160a01b90910416600281111561073357610733610cc4565b600281111561074457610744610cc4565b8152815460ff600160a81b82041660208301526001600160401b03600160b01b90910481166040830152600183015416606082015260028201805460809092019161078e90610f4f565b80601f01602080910402602001604051908101604052809291908181526020018280546107ba90610f4f565b80156108055780601f106107dc57610100808354040283529160200191610805565b820191905f5260205f20905b8154815290600101906020018083116107e857829003601f168201915b5050505050815250509050919050565b6040516367ae3fbf60e11b81526001600160a01b037f0000000000000000000000000000000000000000000000000000000000000000169063cf5c7f7e906108619084906004016110f5565b5f604051808303815f87803b158015610878575f5ffd5b505af115801561088a573d5f5f3e3d5ffd5b5050505050565b5f61089e86880188610cad565b90505f5f82815481106108b3576108b36110e1565b905f5260205f2090600302019050600160ff168660ff160361092f57805460ff60a01b1916600160a01b1781556108ec838501856111f3565b6001830180546001600160401b0392831667ffffffffffffffff1990911617905582549116600160b01b0267ffffffffffffffff60b01b1990911617815561094f565b805460ff8616600160a81b0261ffff60a01b1990911617600160a11b1781555b8054600182015460405184927f437febf790287485d3f4d669b289dc38fae98fccc5a17ee1b80bd8a1c1713505926109a99260ff600160a01b840416928b926001600160401b03600160b01b909204821692911690611224565b60405180910390a2505050505050505050565b5f6109f4600186604001518760600151886040516020016109dd919061125a565b604051602081830303815290604052888888610abf565b95945050505050565b60405163025dff4360e51b815261ffff851660048201526001600160401b038416602482015264ffffffffff8316604482015263ffffffff821660648201525f9081906001600160a01b037f00000000000000000000000000000000000000000000000000000000000000001690634bbfe860906084016040805180830381865afa158015610a8e573d5f5f3e3d5ffd5b505050506040513d601f19601f82011682018060405250810190610ab2919061132a565b9150915094509492505050565b5f7f00000000000000000000000000000000000000000000000000000000000000006001600160a01b031663711a5afb838a8a8a8a8a8a6040518863ffffffff1660e01b8152600401610b1796959493929190611362565b60206040518083038185885af1158015610b33573d5f5f3e3d5ffd5b50505050506040513d601f19601f82011682018060405250810190610b5891906113f0565b98975050505050505050565b5f610160828403128015610b76575f5ffd5b509092915050565b5f5f83601f840112610b8e575f5ffd5b5081356001600160401b03811115610ba4575f5ffd5b602083019150836020828501011115610bbb575f5ffd5b9250929050565b803560ff81168114610bd2575f5ffd5b919050565b5f5f5f5f5f5f5f60a0888a031215610bed575f5ffd5b8735965060208801356001600160401b03811115610c09575f5ffd5b610c158a828b01610b7e565b9097509550610c28905060408901610bc2565b9350610c3660608901610bc2565b925060808801356001600160401b03811115610c50575f5ffd5b610c5c8a828b01610b7e565b989b979a50959850939692959293505050565b5f5f60208385031215610c80575f5ffd5b82356001600160401b03811115610c95575f5ffd5b610ca185828601610b7e565b90969095509350505050565b5f60208284031215610cbd575f5ffd5b5035919050565b634e487b7160e01b5f52602160045260245ffd5b60038110610cf457634e487b7160e01b5f52602160045260245ffd5b9052565b5f81518084528060208401602086015e5f602082860101526020601f19601f83011685010191505092915050565b602080825282516001600160a01b0316828201528201515f90610d4c6040840182610cd8565b5060ff60408401511660608301526001600160401b0360608401511660808301526001600160401b0360808401511660a083015260a083015160c080840152610d9860e0840182610cf8565b949350505050565b80356001600160a01b0381168114610bd2575f5ffd5b5f60208284031215610dc6575f5ffd5b610dcf82610da0565b9392505050565b634e487b7160e01b5f52604160045260245ffd5b60405161016081016001600160401b0381118282101715610e0d57610e0d610dd6565b60405290565b80356001600160401b0381168114610bd2575f5ffd5b803561ffff81168114610bd2575f5ffd5b803563ffffffff81168114610bd2575f5ffd5b803564ffffffffff81168114610bd2575f5ffd5b6001600160601b03811681146102f6575f5ffd5b8035610bd281610e61565b5f610160828403128015610e92575f5ffd5b50610e9b610dea565b610ea483610e13565b8152610eb260208401610da0565b6020820152610ec360408401610e29565b6040820152610ed460608401610e3a565b6060820152610ee560808401610e4d565b6080820152610ef660a08401610e4d565b60a0820152610f0760c08401610da0565b60c0820152610f1860e08401610e75565b60e0820152610f2a6101008401610e75565b6101008201526101208381013590820152610140928301359281019290925250919050565b600181811c90821680610f6357607f821691505b60208210810361069c57634e487b7160e01b5f52602260045260245ffd5b601f821115610fc557805f5260205f20601f840160051c81016020851015610fa65750805b601f840160051c820191505b8181101561088a575f8155600101610fb2565b505050565b81516001600160401b03811115610fe357610fe3610dd6565b610ff781610ff18454610f4f565b84610f81565b6020601f821160018114611029575f83156110125750848201515b5f19600385901b1c1916600184901b17845561088a565b5f84815260208120601f198516915b828110156110585787850151825560209485019460019092019101611038565b508482101561107557868401515f19600387901b60f8161c191681555b50505050600190811b01905550565b64ffffffffff81811683821601908111156110ad57634e487b7160e01b5f52601160045260245ffd5b92915050565b60208152816020820152818360408301375f818301604090810191909152601f909201601f19160101919050565b634e487b7160e01b5f52603260045260245ffd5b81516001600160401b031681526101608101602083015161112160208401826001600160a01b03169052565b506040830151611137604084018261ffff169052565b50606083015161114f606084018263ffffffff169052565b506080830151611168608084018264ffffffffff169052565b5060a083015161118160a084018264ffffffffff169052565b5060c083015161119c60c08401826001600160a01b03169052565b5060e08301516111b760e08401826001600160601b03169052565b506101008301516111d46101008401826001600160601b03169052565b5061012083015161012083015261014083015161014083015292915050565b5f5f60408385031215611204575f5ffd5b61120d83610e13565b915061121b60208401610e13565b90509250929050565b608081016112328287610cd8565b60ff9490941660208201526001600160401b0392831660408201529116606090910152919050565b602081525f825160c0602084015261127560e0840182610cf8565b905060018060a01b0360208501511660408401526001600160401b03604085015116606084015264ffffffffff60608501511660808401526080840151601f198483030160a085015281815180845260208401915060208160051b8501016020840193505f5b8281101561130c57601f198683030184526112f7828651610cf8565b602095860195949094019391506001016112db565b5060a0880151878203601f190160c08901529450610b588186610cf8565b5f5f6040838503121561133b575f5ffd5b825161134681610e61565b602084015190925061135781610e61565b809150509250929050565b61ffff871681526001600160401b038616602082015264ffffffffff8516604082015261010060608201525f61139c610100830186610cf8565b82810360808401526113ae8186610cf8565b845163ffffffff1660a0850152602085015164ffffffffff1660c08501526040909401516001600160a01b031660e09093019290925250909695505050505050565b5f60208284031215611400575f5ffd5b505191905056",
}

// PinnedNote is an auto generated Go binding around an Ethereum contract.
type PinnedNote struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *PinnedNote) GetABI() abi.ABI {
	return c.abi
}

// NewPinnedNote creates a new instance of PinnedNote.
func NewPinnedNote() *PinnedNote {
	parsed, err := PinnedNoteMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &PinnedNote{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *PinnedNote) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackConstructor is the Go binding used to pack the parameters required for
// contract deployment.
//
// Solidity: constructor(address provider_, uint32 callbackGas_) returns()
func (pinnedNote *PinnedNote) PackConstructor(provider_ common.Address, callbackGas_ uint32) []byte {
	enc, err := pinnedNote.abi.Pack("", provider_, callbackGas_)
	if err != nil {
		panic(err)
	}
	return enc
}

// PackMAXBYTES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa068fd80.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function MAX_BYTES() view returns(uint64)
func (pinnedNote *PinnedNote) PackMAXBYTES() []byte {
	enc, err := pinnedNote.abi.Pack("MAX_BYTES")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackMAXBYTES is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa068fd80.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function MAX_BYTES() view returns(uint64)
func (pinnedNote *PinnedNote) TryPackMAXBYTES() ([]byte, error) {
	return pinnedNote.abi.Pack("MAX_BYTES")
}

// UnpackMAXBYTES is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa068fd80.
//
// Solidity: function MAX_BYTES() view returns(uint64)
func (pinnedNote *PinnedNote) UnpackMAXBYTES(data []byte) (uint64, error) {
	out, err := pinnedNote.abi.Unpack("MAX_BYTES", data)
	if err != nil {
		return *new(uint64), err
	}
	out0 := *abi.ConvertType(out[0], new(uint64)).(*uint64)
	return out0, nil
}

// PackTERM is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5ea25e28.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function TERM() view returns(uint40)
func (pinnedNote *PinnedNote) PackTERM() []byte {
	enc, err := pinnedNote.abi.Pack("TERM")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackTERM is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x5ea25e28.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function TERM() view returns(uint40)
func (pinnedNote *PinnedNote) TryPackTERM() ([]byte, error) {
	return pinnedNote.abi.Pack("TERM")
}

// UnpackTERM is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x5ea25e28.
//
// Solidity: function TERM() view returns(uint40)
func (pinnedNote *PinnedNote) UnpackTERM(data []byte) (*big.Int, error) {
	out, err := pinnedNote.abi.Unpack("TERM", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackAnswerWithin is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52d13733.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function answerWithin() view returns(uint40)
func (pinnedNote *PinnedNote) PackAnswerWithin() []byte {
	enc, err := pinnedNote.abi.Pack("answerWithin")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAnswerWithin is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x52d13733.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function answerWithin() view returns(uint40)
func (pinnedNote *PinnedNote) TryPackAnswerWithin() ([]byte, error) {
	return pinnedNote.abi.Pack("answerWithin")
}

// UnpackAnswerWithin is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x52d13733.
//
// Solidity: function answerWithin() view returns(uint40)
func (pinnedNote *PinnedNote) UnpackAnswerWithin(data []byte) (*big.Int, error) {
	out, err := pinnedNote.abi.Unpack("answerWithin", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackCallbackGas is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa10132ad.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function callbackGas() view returns(uint32)
func (pinnedNote *PinnedNote) PackCallbackGas() []byte {
	enc, err := pinnedNote.abi.Pack("callbackGas")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCallbackGas is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa10132ad.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function callbackGas() view returns(uint32)
func (pinnedNote *PinnedNote) TryPackCallbackGas() ([]byte, error) {
	return pinnedNote.abi.Pack("callbackGas")
}

// UnpackCallbackGas is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa10132ad.
//
// Solidity: function callbackGas() view returns(uint32)
func (pinnedNote *PinnedNote) UnpackCallbackGas(data []byte) (uint32, error) {
	out, err := pinnedNote.abi.Unpack("callbackGas", data)
	if err != nil {
		return *new(uint32), err
	}
	out0 := *abi.ConvertType(out[0], new(uint32)).(*uint32)
	return out0, nil
}

// PackCount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06661abd.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function count() view returns(uint256)
func (pinnedNote *PinnedNote) PackCount() []byte {
	enc, err := pinnedNote.abi.Pack("count")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackCount is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x06661abd.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function count() view returns(uint256)
func (pinnedNote *PinnedNote) TryPackCount() ([]byte, error) {
	return pinnedNote.abi.Pack("count")
}

// UnpackCount is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x06661abd.
//
// Solidity: function count() view returns(uint256)
func (pinnedNote *PinnedNote) UnpackCount(data []byte) (*big.Int, error) {
	out, err := pinnedNote.abi.Unpack("count", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackNoteOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbc91f34d.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function noteOf(uint256 note) view returns((address,uint8,uint8,uint64,uint64,bytes))
func (pinnedNote *PinnedNote) PackNoteOf(note *big.Int) []byte {
	enc, err := pinnedNote.abi.Pack("noteOf", note)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackNoteOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xbc91f34d.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function noteOf(uint256 note) view returns((address,uint8,uint8,uint64,uint64,bytes))
func (pinnedNote *PinnedNote) TryPackNoteOf(note *big.Int) ([]byte, error) {
	return pinnedNote.abi.Pack("noteOf", note)
}

// UnpackNoteOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xbc91f34d.
//
// Solidity: function noteOf(uint256 note) view returns((address,uint8,uint8,uint64,uint64,bytes))
func (pinnedNote *PinnedNote) UnpackNoteOf(data []byte) (PinnedNoteNote, error) {
	out, err := pinnedNote.abi.Unpack("noteOf", data)
	if err != nil {
		return *new(PinnedNoteNote), err
	}
	out0 := *abi.ConvertType(out[0], new(PinnedNoteNote)).(*PinnedNoteNote)
	return out0, nil
}

// PackOnOracleResult is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x74286757.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function onOracleResult(bytes32 requestId, bytes context, uint8 outcome, uint8 reason, bytes result) returns()
func (pinnedNote *PinnedNote) PackOnOracleResult(requestId [32]byte, context []byte, outcome uint8, reason uint8, result []byte) []byte {
	enc, err := pinnedNote.abi.Pack("onOracleResult", requestId, context, outcome, reason, result)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackOnOracleResult is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x74286757.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function onOracleResult(bytes32 requestId, bytes context, uint8 outcome, uint8 reason, bytes result) returns()
func (pinnedNote *PinnedNote) TryPackOnOracleResult(requestId [32]byte, context []byte, outcome uint8, reason uint8, result []byte) ([]byte, error) {
	return pinnedNote.abi.Pack("onOracleResult", requestId, context, outcome, reason, result)
}

// PackProvider is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x085d4883.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function provider() view returns(address)
func (pinnedNote *PinnedNote) PackProvider() []byte {
	enc, err := pinnedNote.abi.Pack("provider")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackProvider is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x085d4883.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function provider() view returns(address)
func (pinnedNote *PinnedNote) TryPackProvider() ([]byte, error) {
	return pinnedNote.abi.Pack("provider")
}

// UnpackProvider is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x085d4883.
//
// Solidity: function provider() view returns(address)
func (pinnedNote *PinnedNote) UnpackProvider(data []byte) (common.Address, error) {
	out, err := pinnedNote.abi.Unpack("provider", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackPublish is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7fd28346.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function publish(bytes cid) payable returns(uint256 note, bytes32 requestId)
func (pinnedNote *PinnedNote) PackPublish(cid []byte) []byte {
	enc, err := pinnedNote.abi.Pack("publish", cid)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackPublish is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x7fd28346.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function publish(bytes cid) payable returns(uint256 note, bytes32 requestId)
func (pinnedNote *PinnedNote) TryPackPublish(cid []byte) ([]byte, error) {
	return pinnedNote.abi.Pack("publish", cid)
}

// PublishOutput serves as a container for the return parameters of contract
// method Publish.
type PublishOutput struct {
	Note      *big.Int
	RequestId [32]byte
}

// UnpackPublish is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x7fd28346.
//
// Solidity: function publish(bytes cid) payable returns(uint256 note, bytes32 requestId)
func (pinnedNote *PinnedNote) UnpackPublish(data []byte) (PublishOutput, error) {
	out, err := pinnedNote.abi.Unpack("publish", data)
	outstruct := new(PublishOutput)
	if err != nil {
		return *outstruct, err
	}
	outstruct.Note = abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	outstruct.RequestId = *abi.ConvertType(out[1], new([32]byte)).(*[32]byte)
	return *outstruct, nil
}

// PackQuote is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x999b93af.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function quote() view returns(uint96 fee)
func (pinnedNote *PinnedNote) PackQuote() []byte {
	enc, err := pinnedNote.abi.Pack("quote")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackQuote is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x999b93af.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function quote() view returns(uint96 fee)
func (pinnedNote *PinnedNote) TryPackQuote() ([]byte, error) {
	return pinnedNote.abi.Pack("quote")
}

// UnpackQuote is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x999b93af.
//
// Solidity: function quote() view returns(uint96 fee)
func (pinnedNote *PinnedNote) UnpackQuote(data []byte) (*big.Int, error) {
	out, err := pinnedNote.abi.Unpack("quote", data)
	if err != nil {
		return new(big.Int), err
	}
	out0 := abi.ConvertType(out[0], new(big.Int)).(*big.Int)
	return out0, nil
}

// PackWithdrawRequest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x272084b8.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function withdrawRequest((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns()
func (pinnedNote *PinnedNote) PackWithdrawRequest(terms Terms) []byte {
	enc, err := pinnedNote.abi.Pack("withdrawRequest", terms)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackWithdrawRequest is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x272084b8.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function withdrawRequest((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32) terms) returns()
func (pinnedNote *PinnedNote) TryPackWithdrawRequest(terms Terms) ([]byte, error) {
	return pinnedNote.abi.Pack("withdrawRequest", terms)
}

// PinnedNoteNoteAnswered represents a NoteAnswered event raised by the PinnedNote contract.
type PinnedNoteNoteAnswered struct {
	Note   *big.Int
	State  uint8
	Reason uint8
	Blocks uint64
	Size   uint64
	Raw    *types.Log // Blockchain specific contextual infos
}

const PinnedNoteNoteAnsweredEventName = "NoteAnswered"

// ContractEventName returns the user-defined event name.
func (PinnedNoteNoteAnswered) ContractEventName() string {
	return PinnedNoteNoteAnsweredEventName
}

// UnpackNoteAnsweredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event NoteAnswered(uint256 indexed note, uint8 state, uint8 reason, uint64 blocks, uint64 size)
func (pinnedNote *PinnedNote) UnpackNoteAnsweredEvent(log *types.Log) (*PinnedNoteNoteAnswered, error) {
	event := "NoteAnswered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != pinnedNote.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PinnedNoteNoteAnswered)
	if len(log.Data) > 0 {
		if err := pinnedNote.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range pinnedNote.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// PinnedNoteNotePublished represents a NotePublished event raised by the PinnedNote contract.
type PinnedNoteNotePublished struct {
	Note      *big.Int
	Author    common.Address
	RequestId [32]byte
	Cid       []byte
	Raw       *types.Log // Blockchain specific contextual infos
}

const PinnedNoteNotePublishedEventName = "NotePublished"

// ContractEventName returns the user-defined event name.
func (PinnedNoteNotePublished) ContractEventName() string {
	return PinnedNoteNotePublishedEventName
}

// UnpackNotePublishedEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event NotePublished(uint256 indexed note, address indexed author, bytes32 indexed requestId, bytes cid)
func (pinnedNote *PinnedNote) UnpackNotePublishedEvent(log *types.Log) (*PinnedNoteNotePublished, error) {
	event := "NotePublished"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != pinnedNote.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(PinnedNoteNotePublished)
	if len(log.Data) > 0 {
		if err := pinnedNote.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range pinnedNote.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (pinnedNote *PinnedNote) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], pinnedNote.abi.Errors["Oracle_NotProvider"].ID.Bytes()[:4]) {
		return pinnedNote.UnpackOracleNotProviderError(raw[4:])
	}
	if bytes.Equal(raw[:4], pinnedNote.abi.Errors["Oracle_ZeroProvider"].ID.Bytes()[:4]) {
		return pinnedNote.UnpackOracleZeroProviderError(raw[4:])
	}
	if bytes.Equal(raw[:4], pinnedNote.abi.Errors["PinnedNote_NotAuthor"].ID.Bytes()[:4]) {
		return pinnedNote.UnpackPinnedNoteNotAuthorError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// PinnedNoteOracleNotProvider represents a Oracle_NotProvider error raised by the PinnedNote contract.
type PinnedNoteOracleNotProvider struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Oracle_NotProvider(address caller)
func PinnedNoteOracleNotProviderErrorID() common.Hash {
	return common.HexToHash("0xdc43547c037f9f4b2c8c7d0233b8d2c300355c7aee8dfeda280f986a42bf5a0e")
}

// UnpackOracleNotProviderError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Oracle_NotProvider(address caller)
func (pinnedNote *PinnedNote) UnpackOracleNotProviderError(raw []byte) (*PinnedNoteOracleNotProvider, error) {
	out := new(PinnedNoteOracleNotProvider)
	if err := pinnedNote.abi.UnpackIntoInterface(out, "Oracle_NotProvider", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PinnedNoteOracleZeroProvider represents a Oracle_ZeroProvider error raised by the PinnedNote contract.
type PinnedNoteOracleZeroProvider struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error Oracle_ZeroProvider()
func PinnedNoteOracleZeroProviderErrorID() common.Hash {
	return common.HexToHash("0x3e4985f4b8da041356da817c2f0e8eaf137e012dab10ea548ef779e25cb4ce5a")
}

// UnpackOracleZeroProviderError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error Oracle_ZeroProvider()
func (pinnedNote *PinnedNote) UnpackOracleZeroProviderError(raw []byte) (*PinnedNoteOracleZeroProvider, error) {
	out := new(PinnedNoteOracleZeroProvider)
	if err := pinnedNote.abi.UnpackIntoInterface(out, "Oracle_ZeroProvider", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// PinnedNotePinnedNoteNotAuthor represents a PinnedNote_NotAuthor error raised by the PinnedNote contract.
type PinnedNotePinnedNoteNotAuthor struct {
	Caller common.Address
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PinnedNote_NotAuthor(address caller)
func PinnedNotePinnedNoteNotAuthorErrorID() common.Hash {
	return common.HexToHash("0x199f53a1d35a4167e2fe2181ff27f3ae7c52475ec596d9c8785f72a9a91da957")
}

// UnpackPinnedNoteNotAuthorError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PinnedNote_NotAuthor(address caller)
func (pinnedNote *PinnedNote) UnpackPinnedNoteNotAuthorError(raw []byte) (*PinnedNotePinnedNoteNotAuthor, error) {
	out := new(PinnedNotePinnedNoteNotAuthor)
	if err := pinnedNote.abi.UnpackIntoInterface(out, "PinnedNote_NotAuthor", raw); err != nil {
		return nil, err
	}
	return out, nil
}
