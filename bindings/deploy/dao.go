package deploy

import (
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/daoexecutionlib"
	"github.com/tidegate/tidegate/bindings/daointakelib"
	"github.com/tidegate/tidegate/bindings/daoruleslib"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
)

// daoLibraries are linked into DataDAO, each after those that it uses.
var daoLibraries = []struct {
	name string
	meta *bind.MetaData
}{
	{bindings.DaoRules, &daoruleslib.DaoRulesMetaData},
	{bindings.DaoIntake, &daointakelib.DaoIntakeMetaData},
	{bindings.DaoExecution, &daoexecutionlib.DaoExecutionMetaData},
}

// daos deploys the implementation of DAOs and their factory, which nobody owns.
func (r *run) daos(p Profile) error {
	for _, l := range daoLibraries {
		if _, err := r.deploy(l.name, l.meta, nil); err != nil {
			return err
		}
	}
	implementation, err := r.deploy(bindings.DataDAO, &datadao.DataDAOMetaData, datadao.NewDataDAO().PackConstructor(
		r.made.Contracts[bindings.EstuaryProvider], r.made.Contracts[bindings.EstuaryPinning], p.SizeGas, p.Pinning.RequestTerm))
	if err != nil {
		return err
	}
	_, err = r.deploy(bindings.DataDAOFactory, &datadaofactory.DataDAOFactoryMetaData,
		datadaofactory.NewDataDAOFactory().PackConstructor(implementation))
	return err
}
